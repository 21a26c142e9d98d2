// Generated from packages/backend/src/rejoinder/protocol by `make generate`. Do not edit.
import type { ChatMessage, Member, TokenUsage } from './socket'

/** `POST /api/guest`: a name to be called by. */
export interface GuestRequest {
  name: string
}

/** A token for `auth.token`, and whose it is. */
export interface GuestToken {
  token: string
  userId: string
  name: string
}

/** One of `GET /api/characters`. */
export interface CharacterSummary {
  id: string
  name: string
  description?: string
  greeting?: string
}

/** `POST /api/rooms`: a room of one's own; without an id the server makes one. */
export interface RoomCreate {
  roomId?: string
  characterId?: string
}

/** A room in one's list. */
export interface RoomSummary {
  roomId: string
  createdAt: string
  updatedAt: string
  lastSeq: number
  readSeq: number
  /** messages of others after `readSeq`; 100 stands for that and more */
  unread: number
  characterId?: string
  lastMessage?: ChatMessage
}

/** `GET /api/rooms`: one's rooms, the one with the newest message first, at most a page of 100. */
export interface RoomList {
  rooms: RoomSummary[]
  hasMore: boolean
}

/** `GET /api/rooms/{roomId}/members`. */
export interface MemberList {
  members: Member[]
}

/** One message of a prompt. */
export interface PromptPart {
  role: 'assistant' | 'system' | 'user'
  content: string
}

/** `GET /api/rooms/{roomId}/messages/{messageId}/prompt`: what a model was really asked for an answer. */
export interface AnswerPrompt {
  messages: PromptPart[]
  model?: string
  usage?: TokenUsage
}

/** `GET /api/me`: oneself. */
export interface Me {
  userId: string
  /** whether others may not know when one was last seen */
  hideLastSeen: boolean
}

/** `PUT /api/me`: what is to be different from now on. */
export interface MeUpdate {
  hideLastSeen?: boolean
}

/** `GET /api/info`: what a page must know before anybody is signed in. */
export interface ServerInfo {
  version: string
  guests: boolean
  contentLimitBytes: number
  prompts?: boolean
}
