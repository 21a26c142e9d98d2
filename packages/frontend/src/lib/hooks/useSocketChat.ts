import type { ChatMessage, ConnectedStatus, Member, ReadMarker } from '../types/socket'
import type { ChatSocket } from './useSocket'

export interface UseSocketChatOptions {
  socket: ChatSocket | null
  isConnected: boolean
  roomId?: string | undefined
  characterId?: string | undefined
}

export interface SendOptions {
  replyTo?: string | undefined
  metadata?: Record<string, unknown> | undefined
}

export interface UseSocketChatReturn {
  messages: ChatMessage[]
  streamingMessages: Map<string, string>
  /** Whether somebody else types. */
  isTyping: boolean
  typingUsers: string[]
  isInRoom: boolean
  /** Ids of own messages that are not acknowledged yet. */
  pendingMessages: string[]
  members: Member[]
  readMarkers: ReadMarker[]
  /** Whether the room has older messages than those held. */
  hasMore: boolean
  isLoadingHistory: boolean
  error: Error | null
  joinRoom: (roomId?: string, characterId?: string) => Promise<boolean>
  rejoinRoom: (roomId?: string, characterId?: string) => Promise<boolean>
  leaveRoom: () => Promise<void>
  sendMessage: (content: string, options?: SendOptions) => Promise<boolean>
  retryMessage: (messageId: string) => Promise<boolean>
  discardMessage: (messageId: string) => void
  clearMessages: () => void
  /** Older messages; resolves to whether there are still more. */
  loadMessageHistory: (limit?: number) => Promise<boolean>
  startTyping: () => void
  stopTyping: () => void
  stopStream: (messageId: string) => Promise<boolean>
  regenerate: (messageId: string) => Promise<boolean>
  markRead: (messageId: string) => void
  setPresence: (status: ConnectedStatus) => void
}

const resolved = () => Promise.resolve(false)
const nothing = () => undefined

export function useSocketChat(_options: UseSocketChatOptions): UseSocketChatReturn {
  return {
    messages: [],
    streamingMessages: new Map(),
    isTyping: false,
    typingUsers: [],
    isInRoom: false,
    pendingMessages: [],
    members: [],
    readMarkers: [],
    hasMore: false,
    isLoadingHistory: false,
    error: null,
    joinRoom: resolved,
    rejoinRoom: resolved,
    leaveRoom: () => Promise.resolve(),
    sendMessage: resolved,
    retryMessage: resolved,
    discardMessage: nothing,
    clearMessages: nothing,
    loadMessageHistory: resolved,
    startTyping: nothing,
    stopTyping: nothing,
    stopStream: resolved,
    regenerate: resolved,
    markRead: nothing,
    setPresence: nothing,
  }
}
