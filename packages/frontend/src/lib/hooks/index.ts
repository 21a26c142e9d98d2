export type {
  CharacterStatus,
  ChatSocket,
  LineQuality,
  Receipt,
  SendOptions,
  ShownStatus,
} from '../client'
export { type UseConnectionQualityOptions, useConnectionQuality } from './useConnectionQuality'
export { type UsePresenceOptions, type UsePresenceReturn, usePresence } from './usePresence'
export {
  type UseReadReceiptsOptions,
  type UseReadReceiptsReturn,
  useReadReceipts,
} from './useReadReceipts'
export { type UseSocketOptions, type UseSocketReturn, useSocket } from './useSocket'
export {
  type UseSocketChatOptions,
  type UseSocketChatReturn,
  useSocketChat,
} from './useSocketChat'
export { type UseUnreadOptions, type UseUnreadReturn, useUnread } from './useUnread'
