import { io } from 'socket.io-client'
import { sendFromEverywhere } from '../chat/open'
import { withDefaults } from '../settings'
import { openShared } from '../tabs/open'
import { browserPage } from '../tabs/page'
import { systemClock } from '../time/clock'
import { type ChatSocket, ownTransport, standsFor } from '../transport/socketTransport'
import { Connection } from './connection'
import { type ConnectionSettings, defaultConnectionSettings } from './settings'
import type { ConnectionIdentity, ManagedConnection } from './status'
import { type GuestOptions, type TokenOption, tokenSource } from './tokens'
import { browserWake } from './wake'

export interface ConnectionOptions extends Partial<ConnectionSettings> {
  /** Where the server is, with the path that it is mounted at; by default where the page came from. */
  url?: string | undefined
  /** Where its Socket.IO is; by default `/socket.io/` below the path in `url`. */
  path?: string | undefined
  /** By default a guest's, made when there is none yet. */
  token?: TokenOption | undefined
  /** What a new guest is called. */
  guestName?: string | undefined
  /** The language of the server's sentences; by default the browser's. */
  locale?: string | undefined
  /** Whether all tabs of this browser with the same user use one connection; by default they do. */
  shareAcrossTabs?: boolean | undefined
}

export interface SocketConnection {
  socket: ChatSocket
  connection: ManagedConnection
}

/** A connection over socket.io-client; nothing is opened before `connect`. */
export function createConnection(options: ConnectionOptions = {}): SocketConnection {
  const { origin, path } = placeOf(options)
  const shared = {
    ...(path === undefined ? {} : { path }),
    autoConnect: false,
    // Ours knows about tokens, replaced connections and the tab that comes back.
    reconnection: false,
    // A manager that others share would bring their settings along.
    forceNew: true,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
  }
  const socket: ChatSocket = origin === undefined ? io(shared) : io(origin, shared)
  const transport = ownTransport(socket)
  const parts = {
    transport,
    clock: systemClock,
    random: Math.random,
    wake: browserWake,
    settings: withDefaults(defaultConnectionSettings, options),
    isSeen: browserPage.isVisible,
  }
  const identity = identityOf(options)
  const together = options.shareAcrossTabs === false ? null : openShared(parts, identity, socket)
  sendFromEverywhere(together?.connection.transport ?? transport)
  if (together) return together
  const connection = new Connection(parts, identity)
  standsFor(socket, Object.assign(transport, { quality: connection.quality }))
  return { socket, connection }
}

/** In an address socket.io-client takes the path for a namespace; here it is where the server is mounted. */
function placeOf({ url, path }: ConnectionOptions): { origin?: string; path?: string | undefined } {
  if (url === undefined) return { path }
  const page = typeof location === 'undefined' ? undefined : location.href
  const place = URL.canParse(url, page) ? new URL(url, page) : undefined
  if (!place?.protocol.startsWith('http')) return { origin: url, path }
  return {
    origin: place.origin,
    path: path ?? `${place.pathname.replace(/\/+$/, '')}/socket.io/`,
  }
}

export function identityOf(options: ConnectionOptions): ConnectionIdentity {
  const guest: GuestOptions = { url: options.url, name: options.guestName }
  return { tokens: tokenSource(options.token, guest), locale: options.locale ?? browserLanguage() }
}

function browserLanguage(): string | undefined {
  return typeof navigator === 'undefined' ? undefined : navigator.language
}
