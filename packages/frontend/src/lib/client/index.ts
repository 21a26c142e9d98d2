/** The client without React. */
export type {
  ClientToServerEvents,
  ConnectionState,
  MessageStatus,
  ServerToClientEvents,
  SocketEvent,
} from '../types/socket'
export { addressee, mentioned, type Named } from './chat/addressing'
export { type Attention, browserAttention } from './chat/attention'
export type { ChatActions, SendOptions } from './chat/chatActions'
export { ChatClient, type ChatClientParts } from './chat/client'
export type { ChatBinding } from './chat/membership'
export { createChat } from './chat/open'
export { leftOffAt, type Receipt, receiptOf } from './chat/receipts'
export { type ChatSettings, defaultChatSettings } from './chat/settings'
export type { AnswerFailure, OutboxState, OutgoingMessage } from './chat/state'
export type { ChatView } from './chat/view'
export { Connection, type ConnectionParts } from './connection/connection'
export {
  type ConnectionOptions,
  createConnection,
  identityOf,
  type SocketConnection,
} from './connection/open'
export type { LineQuality } from './connection/quality'
export { type ConnectionSettings, defaultConnectionSettings } from './connection/settings'
export type {
  ConnectionHandlers,
  ConnectionIdentity,
  ConnectionStatus as ConnectionSnapshot,
  ManagedConnection,
} from './connection/status'
export {
  type GuestOptions,
  guestTokens,
  type TokenOption,
  type TokenSource,
  type TokenStorage,
} from './connection/tokens'
export { browserWake, type WakeSource } from './connection/wake'
export { ChatError, ConnectionError } from './errors'
export { createGuest } from './guest'
export {
  browserMailboxes,
  type Mailbox,
  type Mailboxes,
  ownMailbox,
  unsentRooms,
} from './outbox/mailbox'
export type { NewsLine, OpenLine, OutboxNews } from './outbox/news'
export {
  memoryOutboxStore,
  OUTBOX_LIMIT,
  type OutboxEntry,
  OutboxFull,
  type OutboxStore,
} from './outbox/store'
export type { Turn, TurnHandlers, Turns } from './outbox/turns/turns'
export { type ActivitySource, browserActivity } from './presence/activity'
export { createPresence } from './presence/open'
export { PresenceReporter, type PresenceReporterParts } from './presence/reporter'
export { type CharacterStatus, IDLE_AFTER_MS, type ShownStatus } from './presence/rules'
export {
  addCharacter,
  addMember,
  type CardFormat,
  createRoom,
  type Download,
  deleteCard,
  deleteRoom,
  type ExportFormat,
  exportCard,
  exportRoom,
  getMe,
  getPrompt,
  getServerInfo,
  importCard,
  listCharacters,
  listMembers,
  listRooms,
  RestError,
  type RestOptions,
  removeCharacter,
  removeMember,
  renameRoom,
  type SearchOptions,
  searchMessages,
  updateMe,
} from './rest'
export type { Readable, Unsubscribe } from './store'
export { type Cancel, type Clock, systemClock } from './time/clock'
export { type ChatSocket, socketTransport } from './transport/socketTransport'
export type {
  Channel,
  ClientEvent,
  ClientPayload,
  HandshakeAuth,
  Reply,
  ServerEvent,
  ServerPayload,
  Transport,
  TransportChange,
} from './transport/transport'
export { NOTIFY_AFTER_MS, Notifier, type NotifierParts } from './unread/notifier'
export { createUnread } from './unread/open'
export {
  type KnownRoom,
  type UnreadBinding,
  type UnreadCounts,
  type UnreadHandlers,
  type UnreadParts,
  UnreadRooms,
} from './unread/rooms'
export { UNREAD_MAX } from './unread/rules'
