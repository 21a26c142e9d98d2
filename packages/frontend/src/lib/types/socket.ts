// Generated from packages/backend/src/rejoinder/protocol by `make generate`. Do not edit.
export const SESSION_TIMEOUT_MS = 300000
export const SESSION_SWEEP_MS = 60000
export const ACK_TIMEOUT_MS = 5000
export const MAX_RETRY_COUNT = 2
export const HEARTBEAT_INTERVAL_MS = 30000
export const RECONNECTION_DELAY_MS = 1000
export const RECONNECTION_DELAY_MAX_MS = 5000
export const MAX_RECONNECTION_ATTEMPTS = 10
export const TYPING_TIMEOUT_MS = 6000
export const PRESENCE_GRACE_MS = 10000
export const HISTORY_LIMIT = 50
export const HISTORY_LIMIT_MAX = 100
export const CONTENT_LIMIT_BYTES = 32768
export const PAYLOAD_LIMIT_BYTES = 65536
export const ID_LENGTH_MAX = 128
export const TITLE_LENGTH_MAX = 100

export type Role = 'user' | 'character'
export type MessageState = 'streaming' | 'complete' | 'stopped' | 'failed' | 'interrupted'
export type ConnectedStatus = 'online' | 'away'
export type PresenceStatus = 'online' | 'away' | 'offline'
export type Quality = 'good' | 'fair' | 'poor'
export type ResyncReason = 'gap' | 'slow' | 'restart' | 'removed'
export type AuthReason = 'token_expired' | 'token_revoked'
export type ErrorCode = 'invalid_payload' | 'unauthorized' | 'forbidden' | 'not_in_room' | 'not_found' | 'conflict' | 'too_large' | 'rate_limited' | 'unavailable' | 'character_failed' | 'internal'

/** Delivery of a message as its sender sees it. */
export type MessageStatus = 'pending' | 'sent' | 'failed'

export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'reconnecting' | 'failed'

/** The acknowledgement of a send, whichever way it went. */
export interface MessageAck {
  success: boolean
  messageId?: string
  timestamp?: string
  seq?: number
  duplicate?: boolean
  parentSeq?: number
  error?: string
  code?: ErrorCode
  retryAfterMs?: number
}

/** One row of a room's log. */
export interface ChatMessage {
  id: string
  roomId: string
  /** 1, 2, 3 … within its room */
  seq: number
  role: Role
  senderId: string
  content: string
  state: MessageState
  timestamp: string
  characterId?: string
  replyTo?: string
  editedAt?: string
  /** the application's own; stored and sent as it is */
  metadata?: Record<string, unknown>
  /** the `seq` of the message that it follows, where that is not the one before it; 0: none */
  parentSeq?: number
  /** the message that it was asked for beside */
  variantOf?: string
  /** its text is gone for good */
  deletedAt?: string
  /** Delivery as this client sees it; it does not travel. */
  status?: MessageStatus
}

/** Somebody who is in a room, or a member of it. */
export interface Member {
  userId: string
  status: PresenceStatus
  name?: string
  lastSeen?: string
}

/** How far a user, or a character, has read a room. */
export interface ReadMarker {
  userId: string
  messageId: string
  seq: number
  timestamp: string
  /** the character that has read it; `userId` is then who wrote the message */
  characterId?: string
}

/** A generation that runs: its text so far, and the index that its next chunk will have. */
export interface RunningStream {
  messageId: string
  characterId: string
  replyTo: string
  seq: number
  timestamp: string
  content: string
  index: number
  /** the `seq` of the message that it follows, where that is not the one before it; 0: none */
  parentSeq?: number
  /** the message that it was asked for beside */
  variantOf?: string
}

/** A message whose text is gone for good. */
export interface DeletedMessage {
  messageId: string
  timestamp: string
}

/** What an answer cost, in tokens of the model that wrote it. */
export interface TokenUsage {
  promptTokens: number
  completionTokens: number
}

/** Enter a room, or enter it again: `lastMessageId` is the position of what one already holds. */
export interface RoomEntry {
  roomId: string
  characterId?: string
  lastMessageId?: string
  revision?: number
  /** the room is not in view: no pieces of answers come from it, and it is not the one that is remembered as where one was; to enter it again without this puts it in view */
  background?: boolean
}

/** Leave a room. */
export interface RoomLeave {
  roomId: string
}

/** Where a client was; may travel in the handshake's `auth.reconnection`. */
export interface ReconnectionData {
  lastMessageId?: string
  roomId?: string
  characterId?: string
}

/** A message. With the same `messageId` it may be sent any number of times and is stored once. */
export interface MessageSend {
  roomId: string
  content: string
  messageId?: string
  characterId?: string
  replyTo?: string
  /** the application's own; stored and sent as it is */
  metadata?: Record<string, unknown>
}

/** Names one message of a room. */
export interface MessageReference {
  roomId: string
  messageId: string
}

/** Another text beside one's own message. With the same `newMessageId` it is stored once, however often it is sent. */
export interface MessageEdit {
  roomId: string
  messageId: string
  content: string
  newMessageId?: string
}

/** A page of history; without `before` and `after` it is the newest one. */
export interface HistoryRequest {
  roomId: string
  before?: string
  after?: string
  /** more than 100 counts as 100 */
  limit?: number
}

/** The sender types in a room, or has ceased to. */
export interface TypingNotice {
  roomId: string
}

/** A sign of life; `rtt` is the last measured round trip in milliseconds. */
export interface Heartbeat {
  timestamp?: number | string
  rtt?: number
}

/** What the user wants to be shown as. */
export interface PresenceSet {
  status: ConnectedStatus
}

/** The acknowledgement of anything that failed. */
export interface Failure {
  /** a sentence for a person */
  error: string
  code: ErrorCode
  success: false
  retryAfterMs?: number
}

/** Done. */
export interface Ack {
  success: true
}

/** A message is stored for good; `duplicate` says that it was already. */
export interface MessageStored {
  success: true
  messageId: string
  timestamp: string
  seq?: number
  duplicate?: boolean
  /** the `seq` of the message that it follows, where that is not the one before it; 0: none */
  parentSeq?: number
}

/** A room as it is at one instant; live events follow it without a hole and without a repeat. */
export interface RoomSnapshot {
  roomId: string
  messages: ChatMessage[]
  recovered: boolean
  hasMore: boolean
  lastSeq: number
  members: Member[]
  read: ReadMarker[]
  streams: RunningStream[]
  characterId?: string
  head?: number
  revision?: number
  deleted?: DeletedMessage[]
  title?: string
  characterIds?: string[]
  doubleTexting?: 'interrupt' | 'merge' | 'queue'
  /** how many are in the room, where `members` has not all of them */
  memberCount?: number
}

/** The snapshot, as an acknowledgement. */
export interface RoomAck {
  roomId: string
  messages: ChatMessage[]
  recovered: boolean
  hasMore: boolean
  lastSeq: number
  members: Member[]
  read: ReadMarker[]
  streams: RunningStream[]
  characterId?: string
  head?: number
  revision?: number
  deleted?: DeletedMessage[]
  title?: string
  characterIds?: string[]
  doubleTexting?: 'interrupt' | 'merge' | 'queue'
  /** how many are in the room, where `members` has not all of them */
  memberCount?: number
  success: true
}

/** A page of history, the oldest message first; `hasMore` in the direction that was asked for. */
export interface HistoryPage {
  roomId: string
  messages: ChatMessage[]
  hasMore: boolean
  revision?: number
}

/** The page, as an acknowledgement. */
export interface HistoryAck {
  roomId: string
  messages: ChatMessage[]
  hasMore: boolean
  revision?: number
  success: true
}

/** `timestamp` is the one that was sent, or the server's time where none was. */
export interface HeartbeatAck {
  timestamp: number | string
  serverTime: string
  quality?: Quality
}

/** The same, as an acknowledgement. */
export interface HeartbeatReply {
  timestamp: number | string
  serverTime: string
  quality?: Quality
  success: true
}

/** A newer connection of the same user took this one's place; it is closed after this event. */
export interface ConnectionReplaced {
  /** for the person, in their language */
  message: string
  timestamp: string
}

/** The user is back within the session timeout. */
export interface SessionRestored {
  disconnectedAt: string
  canReconnect: boolean
  previousRoomId?: string
  previousCharacterId?: string
}

/** Somebody entered, left or came back to a room. */
export interface UserInRoom {
  roomId: string
  userId: string
  timestamp: string
}

/** A character begins to answer. */
export interface StreamStart {
  roomId: string
  messageId: string
  characterId: string
  replyTo: string
  seq: number
  timestamp: string
  /** the `seq` of the message that it follows, where that is not the one before it; 0: none */
  parentSeq?: number
  /** the message that it was asked for beside */
  variantOf?: string
}

/** The next piece of an answer. */
export interface StreamChunk {
  roomId: string
  messageId: string
  /** 0, 1, 2 … within its message */
  index: number
  /** where `delta` begins in the text, in Unicode code points */
  offset: number
  delta: string
}

/** The next piece of what a character thinks before it answers. It is no part of the answer, and kept nowhere. */
export interface StreamThought {
  roomId: string
  messageId: string
  /** 0, 1, 2 … within its message */
  index: number
  delta: string
}

/** An answer is whole, was stopped, or was interrupted; `content` is what is stored. */
export interface StreamEnd {
  roomId: string
  messageId: string
  content: string
  state: 'complete' | 'interrupted' | 'stopped'
  timestamp: string
  usage?: TokenUsage
}

/** An answer failed; `content` is what was written until then, and is stored. */
export interface StreamError {
  roomId: string
  messageId: string
  content: string
  error: string
  code: ErrorCode
  timestamp: string
}

/** A branch was chosen: the one with that message, which ended at `head` when the log ended at `lastSeq`. */
export interface MessageChosen {
  roomId: string
  messageId: string
  userId: string
  head: number
  lastSeq: number
  revision: number
  timestamp: string
}

/** The text of a message is gone for good. Several that went together have one revision. */
export interface MessageDeleted {
  roomId: string
  messageId: string
  revision: number
  timestamp: string
  userId?: string
}

/** A user has read everything up to a message, or a character has taken it up. */
export interface ReadMoved {
  roomId: string
  userId: string
  messageId: string
  seq: number
  timestamp: string
  /** the character that has read it; `userId` is then who wrote the message */
  characterId?: string
}

/** Somebody types in a room, or has ceased to. */
export interface UserTyping {
  roomId: string
  userId: string
}

/** Somebody whom the receiver shares a room with is shown differently now. */
export interface PresenceChanged {
  userId: string
  status: PresenceStatus
  lastSeen?: string
}

/** What the receiver holds of a room may have a hole: rejoin it with the last position. */
export interface RoomResync {
  roomId: string
  reason: ResyncReason
}

/** A room has another title. */
export interface RoomUpdated {
  roomId: string
  title: string
}

/** Who of the characters is in a room, in the order of coming, and the room's own rule for who sends again, if it has one. */
export interface RoomChanged {
  roomId: string
  characterIds: string[]
  doubleTexting?: 'interrupt' | 'merge' | 'queue'
}

/** A room was deleted for good; whoever was in it is not any more, and its id is not used again. */
export interface RoomDeleted {
  roomId: string
  timestamp: string
}

/** The token is not valid any more; the connection is closed after this event. */
export interface AuthRequired {
  reason: AuthReason
}

export interface ClientToServerEvents {
  /** enter a room */
  'room:join': (payload: RoomEntry, ack?: (reply: RoomAck | Failure) => void) => void
  /** leave a room */
  'room:leave': (payload: RoomLeave, ack?: (reply: Ack | Failure) => void) => void
  /** enter a room again after a reconnect */
  'room:rejoin': (payload: RoomEntry, ack?: (reply: RoomAck | Failure) => void) => void
  /** store a message and show it to the room */
  'message:send': (payload: MessageSend, ack?: (reply: MessageAck) => void) => void
  /** the same, then the room's character answers as a stream */
  'message:send:stream': (payload: MessageSend, ack?: (reply: MessageAck) => void) => void
  /** end a generation now and keep what was written */
  'message:stream:stop': (payload: MessageReference, ack?: (reply: Ack | Failure) => void) => void
  /** another answer beside the first */
  'message:regenerate': (payload: MessageReference, ack?: (reply: MessageAck) => void) => void
  /** an answer beside it that begins with its text and goes on */
  'message:continue': (payload: MessageReference, ack?: (reply: MessageAck) => void) => void
  /** another text beside one's own message, which is asked anew */
  'message:edit': (payload: MessageEdit, ack?: (reply: MessageAck) => void) => void
  /** go on with the branch that has this message */
  'message:choose': (payload: MessageReference, ack?: (reply: Ack | Failure) => void) => void
  /** take the text of one's own message, and of the answers to it, away for good */
  'message:delete': (payload: MessageReference, ack?: (reply: Ack | Failure) => void) => void
  /** a page of a room's messages */
  'messages:history': (payload: HistoryRequest, ack?: (reply: HistoryAck | Failure) => void) => void
  /** everything up to a message is read */
  'messages:read': (payload: MessageReference, ack?: (reply: Ack | Failure) => void) => void
  /** the user types */
  'typing:start': (payload: TypingNotice, ack?: (reply: Ack | Failure) => void) => void
  /** the user ceased to type */
  'typing:stop': (payload: TypingNotice, ack?: (reply: Ack | Failure) => void) => void
  /** a sign of life */
  'heartbeat': (payload?: Heartbeat, ack?: (reply: HeartbeatReply | Failure) => void) => void
  /** be shown as online or as away */
  'presence:set': (payload: PresenceSet, ack?: (reply: Ack | Failure) => void) => void
}

export interface ServerToClientEvents {
  /** a newer connection of the same user took over */
  'connection:replaced': (payload: ConnectionReplaced) => void
  /** back within the session timeout */
  'session:restored': (payload: SessionRestored) => void
  /** the snapshot of a room entered again */
  'room:rejoined': (payload: RoomSnapshot) => void
  /** somebody entered */
  'user:joined': (payload: UserInRoom) => void
  /** somebody left */
  'user:left': (payload: UserInRoom) => void
  /** somebody came back */
  'user:reconnected': (payload: UserInRoom) => void
  /** a message was stored */
  'message:new': (payload: ChatMessage) => void
  /** a character begins to answer */
  'message:stream:start': (payload: StreamStart) => void
  /** the next piece of an answer */
  'message:stream:chunk': (payload: StreamChunk) => void
  /** the next piece of what a character thinks before it answers */
  'message:stream:thought': (payload: StreamThought) => void
  /** an answer has ended */
  'message:stream:end': (payload: StreamEnd) => void
  /** an answer has failed */
  'message:stream:error': (payload: StreamError) => void
  /** the answer to a request that came without a callback */
  'messages:history': (payload: HistoryPage) => void
  /** the conversation goes on with another branch */
  'message:chosen': (payload: MessageChosen) => void
  /** the text of a message is gone for good */
  'message:deleted': (payload: MessageDeleted) => void
  /** a user, or a character, has read up to a message */
  'messages:read': (payload: ReadMoved) => void
  /** somebody types */
  'typing:start': (payload: UserTyping) => void
  /** somebody ceased to type */
  'typing:stop': (payload: UserTyping) => void
  /** the answer to a heartbeat */
  'heartbeat:ack': (payload: HeartbeatAck) => void
  /** somebody is online, away or offline now */
  'presence:changed': (payload: PresenceChanged) => void
  /** what you hold of the room may have a hole */
  'room:resync': (payload: RoomResync) => void
  /** a room has another title */
  'room:updated': (payload: RoomUpdated) => void
  /** other characters are in the room, or its rule for who sends again is another */
  'room:changed': (payload: RoomChanged) => void
  /** a room was deleted for good */
  'room:deleted': (payload: RoomDeleted) => void
  /** the token is not valid any more */
  'auth:required': (payload: AuthRequired) => void
}

/** Every event name, in either direction. */
export type SocketEvent = keyof ClientToServerEvents | keyof ServerToClientEvents

export const CLIENT_EVENTS = [
  'room:join',
  'room:leave',
  'room:rejoin',
  'message:send',
  'message:send:stream',
  'message:stream:stop',
  'message:regenerate',
  'message:continue',
  'message:edit',
  'message:choose',
  'message:delete',
  'messages:history',
  'messages:read',
  'typing:start',
  'typing:stop',
  'heartbeat',
  'presence:set',
] as const satisfies readonly (keyof ClientToServerEvents)[]

export const SERVER_EVENTS = [
  'connection:replaced',
  'session:restored',
  'room:rejoined',
  'user:joined',
  'user:left',
  'user:reconnected',
  'message:new',
  'message:stream:start',
  'message:stream:chunk',
  'message:stream:thought',
  'message:stream:end',
  'message:stream:error',
  'messages:history',
  'message:chosen',
  'message:deleted',
  'messages:read',
  'typing:start',
  'typing:stop',
  'heartbeat:ack',
  'presence:changed',
  'room:resync',
  'room:updated',
  'room:changed',
  'room:deleted',
  'auth:required',
] as const satisfies readonly (keyof ServerToClientEvents)[]
