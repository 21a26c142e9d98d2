import type { ClientToServerEvents, ServerToClientEvents } from '../../types/socket'
import type { LineQuality } from '../connection/quality'
import type { ConnectionError } from '../errors'
import type { Readable, Unsubscribe } from '../store'

export type ClientEvent = keyof ClientToServerEvents
export type ServerEvent = keyof ServerToClientEvents

export type ClientPayload<E extends ClientEvent> = NonNullable<
  Parameters<ClientToServerEvents[E]>[0]
>
export type ServerPayload<E extends ServerEvent> = Parameters<ServerToClientEvents[E]>[0]
export type Reply<E extends ClientEvent> = Parameters<
  NonNullable<Parameters<ClientToServerEvents[E]>[1]>
>[0]

/** What a server is told when a connection opens. */
export interface HandshakeAuth {
  token: string
  locale?: string
}

export type TransportChange =
  /** It is being opened: from now on it is known who one is. */
  | { type: 'opening' }
  | { type: 'opened' }
  | { type: 'closed' }
  /** It never opened: the server said no, or could not be reached. */
  | { type: 'refused'; error: ConnectionError }

/** Events in both directions, while something is open. */
export interface Channel {
  readonly isOpen: boolean
  /** Who one is here, where that is known. */
  readonly userId: string | undefined
  /** Which server this leads to, where that is known; what is kept for one is not sent to another. */
  readonly server?: string | undefined
  /** Sends at once; what is sent while nothing is open is dropped, not kept for later. */
  emit<E extends ClientEvent>(
    event: E,
    payload: ClientPayload<E>,
    onReply?: (reply: Reply<E>) => void,
  ): void
  on<E extends ServerEvent>(event: E, listener: (payload: ServerPayload<E>) => void): Unsubscribe
  onChange(listener: (change: TransportChange) => void): Unsubscribe
  /** How good the line is, where somebody measures that. */
  readonly quality?: Readable<LineQuality> | undefined
  /** Something was not answered in time: whoever holds the connection should see if it is alive. */
  suspect?(): void
}

/** A channel that can be opened and closed, one attempt at a time; it never reopens by itself. */
export interface Transport extends Channel {
  open(auth: HandshakeAuth): void
  close(): void
  onSuspect?(listener: () => void): Unsubscribe
  /** A round trip was measured on the way, in milliseconds. */
  onRoundTrip?(listener: (ms: number) => void): Unsubscribe
}

/** A transport of which one can hear everything, events of a newer server included. */
export interface OpenTransport extends Transport {
  /** What the server calls the connection, while there is one. */
  readonly socketId: string | undefined
  onAny(listener: (event: string, payload: unknown) => void): Unsubscribe
}
