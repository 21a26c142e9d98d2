export {
  type ChatSocket,
  type UseSocketOptions,
  type UseSocketReturn,
  useSocket,
} from './useSocket'
export {
  type SendOptions,
  type UseSocketChatOptions,
  type UseSocketChatReturn,
  useSocketChat,
} from './useSocketChat'
