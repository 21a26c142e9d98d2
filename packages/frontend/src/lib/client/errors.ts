import type { ErrorCode } from '../types/socket'

/** Why there is no connection, or why it ended. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** A code of the server's, or what the network did. */
  readonly code: ErrorCode | 'network' | 'timeout'

  constructor(code: ErrorCode | 'network' | 'timeout', message: string) {
    super(message)
    this.code = code
  }
}

/** Why something that was asked of a room did not happen. */
export class ChatError extends Error {
  override readonly name = 'ChatError'
  readonly code: ErrorCode | 'timeout'

  constructor(code: ErrorCode | 'timeout', message: string) {
    super(message)
    this.code = code
  }
}
