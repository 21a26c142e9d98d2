// Generated from packages/backend/src/rejoinder/protocol by `make generate`. Do not edit.
import type { ChatMessage, Member, Role, TokenUsage } from './socket'

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
  /** it is a card, which can be exported and deleted */
  card?: true
  /** the address of its picture, from that of the server */
  picture?: string
  /** it asks no model anything, so that there is no prompt to show */
  prompts?: false
}

/** `POST /api/characters`: the character of the card; with `fresh` false the same file was there already. */
export interface CardImported {
  character: CharacterSummary
  fresh: boolean
}

/** `POST /api/rooms`: a room of one's own; without an id the server makes one. */
export interface RoomCreate {
  roomId?: string
  characterId?: string
}

/** `PATCH /api/rooms/{roomId}`: what is to be different; `title` is one line. */
export interface RoomChange {
  title?: string
  doubleTexting?: 'default' | 'interrupt' | 'merge' | 'queue'
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
  /** the last one on the branch that is chosen, where that is another */
  preview?: ChatMessage
  title?: string
  characterIds?: string[]
  doubleTexting?: 'interrupt' | 'merge' | 'queue'
  /** who may delete it */
  createdBy?: string
}

/** `GET /api/rooms`: one's rooms, the one with the newest message first, at most a page of 100. */
export interface RoomList {
  rooms: RoomSummary[]
  hasMore: boolean
}

/** `GET /api/rooms/{roomId}/members?limit=&after=`: those who belong to a room, the oldest members first, up to 500. */
export interface MemberList {
  members: Member[]
  hasMore?: boolean
  next?: string
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

/** A connection, as an operator sees it; `id` is the user's, `server` that of its server, where there are several. */
export interface ListedConnection {
  id: string
  socketId: string
  lastActivity: string
  connectedAt: string
  roomId?: string
  characterId?: string
  server?: string
}

/** `GET /api/connections?limit=&after=&userId=&server=`: who is connected, on all servers, in the order of `socketId`. */
export interface ConnectionPage {
  connections: ListedConnection[]
  hasMore: boolean
  complete: boolean
  missing?: string[]
  next?: string
}

/** A part of a text: where it begins, and before where it ends, in Unicode code points. */
export interface Match {
  start: number
  end: number
}

/** A message that a search has found, with the part of its text around the first match. */
export interface SearchHit {
  roomId: string
  messageId: string
  seq: number
  role: Role
  senderId: string
  timestamp: string
  snippet: string
  /** where `snippet` begins in the text, in Unicode code points */
  offset: number
  /** within `snippet` */
  matches: Match[]
  /** of the room */
  title?: string
  /** of the room */
  characterId?: string
}

/** `GET /api/search?q=&limit=&before=`: what was found in one's own rooms, the newest first. */
export interface SearchPage {
  hits: SearchHit[]
  hasMore: boolean
  complete: boolean
  next?: string
}

/** `GET /api/rooms/{roomId}/export?format=json`: all of a room, its messages in their order. */
export interface ExportedRoom {
  /** of this shape: 1 */
  version: number
  exportedAt: string
  roomId: string
  createdBy: string
  createdAt: string
  characters: Record<string, string>
  members: Member[]
  messages: ChatMessage[]
  title?: string
  characterId?: string
}

/** `GET /api/info`: what a page must know before anybody is signed in. */
export interface ServerInfo {
  version: string
  guests: boolean
  contentLimitBytes: number
  /** who may import, export and delete character cards */
  cards: 'anyone' | 'nobody' | 'operator'
  prompts?: boolean
}
