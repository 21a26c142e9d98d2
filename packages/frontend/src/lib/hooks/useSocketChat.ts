import { useLayoutEffect, useMemo, useState, useSyncExternalStore } from 'react'
import {
  type ChatActions,
  type ChatSettings,
  type ChatSocket,
  type ChatView,
  createChat,
  socketTransport,
} from '../client'

export interface UseSocketChatOptions extends Partial<ChatSettings> {
  /** From `useSocket`, or any other socket of socket.io-client. */
  socket: ChatSocket | null
  isConnected: boolean
  /** The room to be in; another one means to leave this. */
  roomId?: string | undefined
  /** The character one talks with; without one, nobody answers by itself. */
  characterId?: string | undefined
  /** Who one is, where the token does not tell. */
  userId?: string | undefined
}

export interface UseSocketChatReturn extends ChatView, ChatActions {}

/** A chat in one room, for as long as the component lives. */
export function useSocketChat(options: UseSocketChatOptions): UseSocketChatReturn {
  const { socket, isConnected, roomId, characterId, userId } = options
  const [chat] = useState(() => createChat(options))
  const channel = useMemo(() => socket && socketTransport(socket), [socket])
  const view = useSyncExternalStore(chat.subscribe, chat.getSnapshot, chat.getSnapshot)

  // Before any other effect: one of a component below may send something, and must find the room.
  useLayoutEffect(
    () => chat.bind({ channel, isConnected, roomId, characterId, userId }),
    [chat, channel, isConnected, roomId, characterId, userId],
  )

  return {
    ...view,
    joinRoom: chat.joinRoom,
    rejoinRoom: chat.rejoinRoom,
    leaveRoom: chat.leaveRoom,
    sendMessage: chat.sendMessage,
    retryMessage: chat.retryMessage,
    discardMessage: chat.discardMessage,
    clearMessages: chat.clearMessages,
    loadMessageHistory: chat.loadMessageHistory,
    startTyping: chat.startTyping,
    stopTyping: chat.stopTyping,
    stopStream: chat.stopStream,
    regenerate: chat.regenerate,
    continueAnswer: chat.continueAnswer,
    chooseMessage: chat.chooseMessage,
    editMessage: chat.editMessage,
    deleteMessage: chat.deleteMessage,
    markRead: chat.markRead,
    setPresence: chat.setPresence,
  }
}
