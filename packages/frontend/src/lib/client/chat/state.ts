import type { ChatMessage, Member, ReadMarker, StreamError } from '../../types/socket'
import type { ChatError } from '../errors'
import { type Branch, noBranch } from './branches'
import type { Thoughts } from './thoughts'

/** How far the text of a running generation has come. */
export interface StreamProgress {
  /** The index that its next chunk must have. */
  readonly index: number
  /** Where the next chunk must begin, in Unicode code points. */
  readonly offset: number
}

/** Why an answer failed: a code, and a sentence for a person. */
export type AnswerFailure = Pick<StreamError, 'code' | 'error'>

/** How own messages are kept that the server does not have yet. */
export interface OutboxState {
  /** Whether they outlive the page; in a private window they may not. */
  readonly isKept: boolean
  /** Whether so many wait that no more are taken. */
  readonly isFull: boolean
}

/** What is held of one room. */
export interface ChatState {
  readonly roomId: string | null
  /** Stored messages in the order of `seq`; a running one holds its text so far. */
  readonly log: readonly ChatMessage[]
  /** Own messages that are not in the log yet, in the order sent. */
  readonly outgoing: readonly ChatMessage[]
  readonly outbox: OutboxState
  /** The running generations, by message. */
  readonly streams: ReadonlyMap<string, StreamProgress>
  /** What characters thought before these, by message, as far as it was heard. */
  readonly thoughts: ReadonlyMap<string, Thoughts>
  /** Why answers failed, by message, as far as it was heard: no history tells it. */
  readonly failures: ReadonlyMap<string, AnswerFailure>
  /** Up to this `seq` nothing is missing between the oldest message held and the newest. */
  readonly wholeTo: number
  /** The newest `seq` the server spoke of. */
  readonly lastSeq: number
  /** Where to catch up from when no message is held to tell it. */
  readonly base: string | undefined
  /** Whether something arrived that does not fit what is held. */
  readonly isDamaged: boolean
  /** Which branch is chosen. */
  readonly branch: Branch
  /** The characters in the room, in the order of coming, where there are more than one. */
  readonly characterIds: readonly string[]
  /** What the room is called, once something was said in it. */
  readonly title: string | undefined
  readonly members: readonly Member[]
  readonly readMarkers: readonly ReadMarker[]
  readonly typingUsers: readonly string[]
  /** Whether the room has older messages than those held. */
  readonly hasOlder: boolean
  readonly isLoadingHistory: boolean
  readonly isInRoom: boolean
  readonly error: ChatError | null
}

export const emptyChat: ChatState = {
  roomId: null,
  log: [],
  outgoing: [],
  outbox: { isKept: false, isFull: false },
  streams: new Map(),
  thoughts: new Map(),
  failures: new Map(),
  wholeTo: 0,
  lastSeq: 0,
  base: undefined,
  isDamaged: false,
  branch: noBranch,
  characterIds: [],
  title: undefined,
  members: [],
  readMarkers: [],
  typingUsers: [],
  hasOlder: false,
  isLoadingHistory: false,
  isInRoom: false,
  error: null,
}

/** A message before the server has it. */
export interface OutgoingMessage {
  id: string
  roomId: string
  content: string
  timestamp: string
  characterId?: string
  replyTo?: string
  metadata?: Record<string, unknown>
}
