import type {
  ChatMessage,
  MessageChosen,
  MessageDeleted,
  MessageStored,
  PresenceChanged,
  ReadMoved,
  RoomChanged,
  RoomSnapshot,
  StreamChunk,
  StreamEnd,
  StreamError,
  StreamStart,
  StreamThought,
  UserInRoom,
} from '../../types/socket'
import type { ChatError } from '../errors'
import type { OutboxState, OutgoingMessage } from './state'

/** Everything that can happen to what is held of a room. */
export type ChatAction =
  | { type: 'opened'; roomId: string }
  | { type: 'closed' }
  | { type: 'entered'; snapshot: RoomSnapshot }
  | { type: 'outside' }
  | { type: 'cleared' }
  | { type: 'message'; message: ChatMessage }
  | { type: 'streamStarted'; start: StreamStart }
  | { type: 'streamChunk'; chunk: StreamChunk }
  | { type: 'streamThought'; thought: StreamThought }
  | { type: 'streamEnded'; end: StreamEnd }
  | { type: 'streamFailed'; failure: StreamError }
  /** The messages after one that is held; `known` is what was known to be there when they were asked for. */
  | { type: 'newerPage'; after: string; known: number; messages: ChatMessage[]; hasMore: boolean }
  /** The messages after the position, or the newest where there is none, to compare. */
  | {
      type: 'checked'
      after: string | undefined
      messages: ChatMessage[]
      hasMore: boolean
      revision?: number
    }
  /** The messages before the oldest one held. */
  | { type: 'olderPage'; messages: ChatMessage[]; hasMore: boolean }
  | { type: 'loadingHistory'; isLoading: boolean }
  | { type: 'queued'; message: OutgoingMessage; senderId: string; status: 'pending' | 'failed' }
  | { type: 'stored'; id: string; stored: StoredPosition }
  | { type: 'sendFailed'; id: string }
  | { type: 'discarded'; id: string }
  | { type: 'outbox'; outbox: OutboxState }
  | { type: 'chosen'; chosen: MessageChosen }
  | { type: 'deleted'; deleted: MessageDeleted }
  | { type: 'typing'; userId: string; isTyping: boolean }
  | { type: 'read'; read: ReadMoved }
  | { type: 'titled'; title: string }
  | { type: 'userJoined'; user: UserInRoom }
  | { type: 'userLeft'; user: UserInRoom }
  | { type: 'presence'; presence: PresenceChanged }
  | { type: 'roomChanged'; changed: RoomChanged }
  /** What is held cannot be relied on. */
  | { type: 'damaged' }
  | { type: 'resyncing' }
  | { type: 'failed'; error: ChatError | null }

/** Where the server put a message; a server need not say more than that it has it. */
export type StoredPosition = Partial<Pick<MessageStored, 'seq' | 'timestamp' | 'parentSeq'>>
