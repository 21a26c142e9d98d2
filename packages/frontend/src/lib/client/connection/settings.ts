import {
  ACK_TIMEOUT_MS,
  HEARTBEAT_INTERVAL_MS,
  MAX_RECONNECTION_ATTEMPTS,
  RECONNECTION_DELAY_MAX_MS,
  RECONNECTION_DELAY_MS,
} from '../../types/socket'

/** Times in milliseconds. */
export interface ConnectionSettings {
  heartbeatInterval: number
  reconnectionDelay: number
  reconnectionDelayMax: number
  maxReconnectionAttempts: number
  /** How long an attempt may take, the token included. */
  attemptTimeout: number
  /** How long a connection must last before it counts as a good one. */
  settleAfter: number
  /** How long an answer to a heartbeat is waited for. */
  ackTimeout: number
}

export const defaultConnectionSettings: ConnectionSettings = {
  heartbeatInterval: HEARTBEAT_INTERVAL_MS,
  reconnectionDelay: RECONNECTION_DELAY_MS,
  reconnectionDelayMax: RECONNECTION_DELAY_MAX_MS,
  maxReconnectionAttempts: MAX_RECONNECTION_ATTEMPTS,
  attemptTimeout: 10_000,
  settleAfter: RECONNECTION_DELAY_MAX_MS,
  ackTimeout: ACK_TIMEOUT_MS,
}
