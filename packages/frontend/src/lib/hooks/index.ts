export type { CharacterStatus, ChatSocket, Receipt, SendOptions, ShownStatus } from '../client'
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
