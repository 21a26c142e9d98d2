import { io } from 'socket.io-client'
import { withDefaults } from '../settings'
import { systemClock } from '../time/clock'
import { type ChatSocket, socketTransport } from '../transport/socketTransport'
import { Connection, type ConnectionIdentity } from './connection'
import { type ConnectionSettings, defaultConnectionSettings } from './settings'
import { type GuestOptions, type TokenOption, tokenSource } from './tokens'
import { browserWake } from './wake'

export interface ConnectionOptions extends Partial<ConnectionSettings> {
  /** Where the server is; by default where the page came from. */
  url?: string | undefined
  /** Where its Socket.IO is; by default `/socket.io/`. */
  path?: string | undefined
  /** By default a guest's, made when there is none yet. */
  token?: TokenOption | undefined
  /** What a new guest is called. */
  guestName?: string | undefined
  /** The language of the server's sentences; by default the browser's. */
  locale?: string | undefined
}

export interface SocketConnection {
  socket: ChatSocket
  connection: Connection
}

/** A connection over socket.io-client; nothing is opened before `connect`. */
export function createConnection(options: ConnectionOptions = {}): SocketConnection {
  const shared = {
    ...(options.path === undefined ? {} : { path: options.path }),
    autoConnect: false,
    // Ours knows about tokens, replaced connections and the tab that comes back.
    reconnection: false,
    // A manager that others share would bring their settings along.
    forceNew: true,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
  }
  const socket: ChatSocket = options.url === undefined ? io(shared) : io(options.url, shared)
  const connection = new Connection(
    {
      transport: socketTransport(socket),
      clock: systemClock,
      random: Math.random,
      wake: browserWake,
      settings: withDefaults(defaultConnectionSettings, options),
    },
    identityOf(options),
  )
  return { socket, connection }
}

export function identityOf(options: ConnectionOptions): ConnectionIdentity {
  const guest: GuestOptions = { url: options.url, name: options.guestName }
  return { tokens: tokenSource(options.token, guest), locale: options.locale ?? browserLanguage() }
}

function browserLanguage(): string | undefined {
  return typeof navigator === 'undefined' ? undefined : navigator.language
}
