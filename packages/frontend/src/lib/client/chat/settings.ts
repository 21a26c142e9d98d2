import { ACK_TIMEOUT_MS, MAX_RETRY_COUNT, TYPING_TIMEOUT_MS } from '../../types/socket'

/** Times in milliseconds. */
export interface ChatSettings {
  /** How long an answer is waited for. */
  ackTimeout: number
  /** How often an unacknowledged message is sent again before it counts as failed. */
  maxRetries: number
  /** The first delay before something that the server could not do now is asked for again. */
  retryDelay: number
  retryDelayMax: number
  /** How long a missing message may be on its way before it is fetched. */
  gapPatience: number
  /** The least time between two snapshots that are asked for because something did not fit. */
  resyncInterval: number
  /** After something was heard of a room, or an answer has come no further, it is checked for more. */
  checkDelay: number
  /** While somebody looks, a room is brought in line with the server so often at least. */
  checkInterval: number
  /** How often others are told that one still types. */
  typingInterval: number
  /** Without a further key for so long, one has ceased to type. */
  typingIdle: number
  /** How long somebody else's typing is shown without a further sign. */
  typingTimeout: number
}

export const defaultChatSettings: ChatSettings = {
  ackTimeout: ACK_TIMEOUT_MS,
  maxRetries: MAX_RETRY_COUNT,
  retryDelay: 1_000,
  retryDelayMax: 5_000,
  gapPatience: 1_000,
  resyncInterval: 1_000,
  checkDelay: 4_000,
  checkInterval: 30_000,
  typingInterval: 3_000,
  typingIdle: 4_000,
  typingTimeout: TYPING_TIMEOUT_MS,
}
