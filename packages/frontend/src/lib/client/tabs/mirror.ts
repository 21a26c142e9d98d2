import type { ConnectionStatus } from '../connection/status'
import { ConnectionError } from '../errors'
import type { LeadState } from './messages'

/** While it is not known how the connection of another tab stands. */
export const LOST: Partial<ConnectionStatus> = {
  connectionState: 'reconnecting',
  isConnected: false,
}

/** Of a tab that does not lead yet. */
export const NOTHING: Omit<LeadState, 'term' | 'isVisible'> = {
  epoch: 0,
  isOpen: false,
  connectionState: 'connecting',
  reconnectAttempts: 0,
  lastError: null,
}

/** How the connection of another tab stands; the same error stays the same object. */
export function mirrorOf(state: LeadState, before: ConnectionStatus | null): ConnectionStatus {
  const { connectionState, reconnectAttempts, lastError: error } = state
  const known = before?.lastError
  const isSame = known && error && known.code === error.code && known.message === error.message
  return {
    connectionState,
    reconnectAttempts,
    isConnected: connectionState === 'connected',
    lastError: isSame ? known : error && new ConnectionError(error.code, error.message),
  }
}
