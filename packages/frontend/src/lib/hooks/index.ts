export type { ChatSocket, SendOptions } from '../client'
export { type UseSocketOptions, type UseSocketReturn, useSocket } from './useSocket'
export {
  type UseSocketChatOptions,
  type UseSocketChatReturn,
  useSocketChat,
} from './useSocketChat'
