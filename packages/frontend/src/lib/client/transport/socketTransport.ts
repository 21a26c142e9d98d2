import type { Socket } from 'socket.io-client'
import type {
  ClientToServerEvents,
  ErrorCode,
  ServerToClientEvents,
  SocketEvent,
} from '../../types/socket'
import { ConnectionError } from '../errors'
import { Pings } from './pings'
import { tokenSubject } from './tokenSubject'
import type { OpenTransport, Transport } from './transport'

export type ChatSocket = Socket<ServerToClientEvents, ClientToServerEvents>

/** The part of a socket that is used, without its overloads by event. */
interface PlainSocket {
  readonly connected: boolean
  readonly id?: string | undefined
  auth: unknown
  connect(): unknown
  disconnect(): unknown
  emit(event: string, ...values: unknown[]): unknown
  on(event: string, listener: (...values: never[]) => void): unknown
  off(event: string, listener: (...values: never[]) => void): unknown
  onAny(listener: (event: string, payload: unknown) => void): unknown
  offAny(listener: (event: string, payload: unknown) => void): unknown
}

const transports = new WeakMap<ChatSocket, Transport>()
const ownTransports = new WeakMap<ChatSocket, OpenTransport>()

/** From now on the socket stands for this transport. */
export function standsFor(socket: ChatSocket, transport: Transport): void {
  transports.set(socket, transport)
}

/** A socket of socket.io-client, also one that somebody else made; always the same one for it. */
export function socketTransport(socket: ChatSocket): Transport {
  return transports.get(socket) ?? ownTransport(socket)
}

/** Of the socket itself. */
export function ownTransport(socket: ChatSocket): OpenTransport {
  const transport = ownTransports.get(socket) ?? createTransport(socket)
  ownTransports.set(socket, transport)
  return transport
}

function createTransport(socket: ChatSocket): OpenTransport {
  const plain = socket as unknown as PlainSocket
  const listen = (event: SocketEvent | LifecycleEvent, listener: (...values: never[]) => void) => {
    plain.on(event, listener)
    return () => {
      plain.off(event, listener)
    }
  }
  const pings = new Pings()
  const onOpening = new Set<() => void>()
  const onSuspect = new Set<() => void>()
  return {
    server: serverOf(socket),
    get isOpen() {
      return plain.connected
    },
    get userId() {
      return userIdOf(plain.auth)
    },
    open(auth) {
      plain.auth = auth
      for (const listener of [...onOpening]) listener()
      plain.connect()
      pings.watch(socket)
    },
    close() {
      plain.disconnect()
    },
    emit(event, payload, onReply) {
      // The socket would keep it and send it after a reconnect, when it is long out of date.
      if (!plain.connected) return
      if (onReply) plain.emit(event, payload, onReply)
      else plain.emit(event, payload)
    },
    get socketId() {
      return plain.id
    },
    on: (event, listener) => listen(event, listener),
    onAny(listener) {
      plain.onAny(listener)
      return () => {
        plain.offAny(listener)
      }
    },
    onChange(listener) {
      const onOpen = () => listener({ type: 'opening' })
      onOpening.add(onOpen)
      const stops = [
        () => onOpening.delete(onOpen),
        listen('connect', () => listener({ type: 'opened' })),
        listen('disconnect', () => listener({ type: 'closed' })),
        listen('connect_error', (error: Error) =>
          listener({ type: 'refused', error: connectionError(error) }),
        ),
      ]
      return () => {
        for (const stop of stops) stop()
      }
    },
    onRoundTrip: (listener) => pings.listen(listener),
    suspect() {
      for (const listener of [...onSuspect]) listener()
    },
    onSuspect(listener) {
      onSuspect.add(listener)
      return () => {
        onSuspect.delete(listener)
      }
    },
  }
}

/** The address with the path of Socket.IO: several servers may be mounted in one place. */
function serverOf({ io }: ChatSocket): string | undefined {
  const { uri, opts } = io as unknown as { uri?: string; opts?: { path?: string } }
  if (uri === undefined || !URL.canParse(uri)) return undefined
  return `${new URL(uri).origin}${opts?.path ?? '/socket.io'}`
}

type LifecycleEvent = 'connect' | 'disconnect' | 'connect_error'

/** The server's refusals carry `data.code`; what has none is the network's. */
function connectionError(error: Error): ConnectionError {
  const data: unknown = 'data' in error ? error.data : undefined
  if (typeof data === 'object' && data !== null && 'code' in data && typeof data.code === 'string')
    return new ConnectionError(data.code as ErrorCode, error.message)
  return new ConnectionError('network', error.message)
}

function userIdOf(auth: unknown): string | undefined {
  if (typeof auth !== 'object' || auth === null || !('token' in auth)) return undefined
  return typeof auth.token === 'string' ? tokenSubject(auth.token) : undefined
}
