import type {
  AuthRequired,
  ConnectionReplaced,
  ConnectionState,
  SessionRestored,
} from '../../types/socket'
import type { ConnectionError } from '../errors'
import type { Readable } from '../store'
import { connectionState, isConnected, type Machine } from './machine'
import type { LineQuality } from './quality'
import type { TokenSource } from './tokens'

export interface ConnectionStatus {
  readonly connectionState: ConnectionState
  readonly isConnected: boolean
  /** Attempts since the connection was lost. */
  readonly reconnectAttempts: number
  readonly lastError: ConnectionError | null
}

export interface ConnectionHandlers {
  onSessionRestored?: ((data: SessionRestored) => void) | undefined
  onReplaced?: ((data: ConnectionReplaced) => void) | undefined
  onAuthRequired?: ((data: AuthRequired) => void) | undefined
}

/** What may change between two attempts. */
export interface ConnectionIdentity {
  tokens: TokenSource
  locale?: string | undefined
}

/** A connection that somebody asks for, and how it stands. */
export interface ManagedConnection extends Readable<ConnectionStatus> {
  setHandlers: (handlers: ConnectionHandlers) => void
  /** Holds from the next attempt on. */
  setIdentity: (identity: ConnectionIdentity) => void
  readonly connect: () => void
  /** A new connection, whatever the present one is like. */
  readonly reconnect: () => void
  readonly disconnect: () => void
  /** How good the line is; it lasts over connections. */
  readonly quality: Readable<LineQuality>
}

/** What of it is for a handler. */
export function tellHandlers(handlers: ConnectionHandlers, event: string, payload: unknown): void {
  const { onReplaced, onSessionRestored, onAuthRequired } = handlers
  if (event === 'connection:replaced') onReplaced?.(payload as ConnectionReplaced)
  else if (event === 'session:restored') onSessionRestored?.(payload as SessionRestored)
  else if (event === 'auth:required') onAuthRequired?.(payload as AuthRequired)
}

export function statusOf(machine: Machine, lastError: ConnectionError | null): ConnectionStatus {
  const connected = isConnected(machine.phase)
  return {
    connectionState: connectionState(machine.phase),
    isConnected: connected,
    reconnectAttempts: connected ? 0 : machine.attempts,
    lastError,
  }
}

/** The same object while nothing that shows has changed. */
export function sameStatus(before: ConnectionStatus, next: ConnectionStatus): ConnectionStatus {
  const isSame =
    before.connectionState === next.connectionState &&
    before.isConnected === next.isConnected &&
    before.reconnectAttempts === next.reconnectAttempts &&
    before.lastError === next.lastError
  return isSame ? before : next
}
