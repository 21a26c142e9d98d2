import type { ConnectedStatus } from '../../types/socket'

export interface SendOptions {
  /** Who is to answer, where that is not the one whom one talks with. */
  characterId?: string | undefined
  replyTo?: string | undefined
  metadata?: Record<string, unknown> | undefined
}

/** What a person can do in a chat. */
export interface ChatActions {
  /** Enters a room, by default the one that is bound. */
  joinRoom: (roomId?: string, characterId?: string) => Promise<boolean>
  /** Enters the present room again; one that is not the page's is left alone. */
  rejoinRoom: (roomId?: string, characterId?: string) => Promise<boolean>
  /** Leaves, and stays away until a room is asked for again. */
  leaveRoom: () => Promise<void>
  /** Resolves to `true` once the server has it, and to `false` after the last retry. */
  sendMessage: (content: string, options?: SendOptions) => Promise<boolean>
  retryMessage: (messageId: string) => Promise<boolean>
  /** Gives up an own message that failed, or is not sent yet. */
  discardMessage: (messageId: string) => void
  clearMessages: () => void
  /** Loads older messages; resolves to whether there are still more. */
  loadMessageHistory: (limit?: number) => Promise<boolean>
  /** To be called at every key. */
  startTyping: () => void
  stopTyping: () => void
  /** Ends an answer that is being written; what was written is kept. */
  stopStream: (messageId: string) => Promise<boolean>
  /** Asks for another answer beside one that is there. */
  regenerate: (messageId: string) => Promise<boolean>
  /** Asks for an answer beside one that is there, which begins with its text and goes on. */
  continueAnswer: (messageId: string) => Promise<boolean>
  /** Goes on with the branch of a message, for everybody in the room. */
  chooseMessage: (messageId: string) => Promise<boolean>
  /** Puts another text beside an own message; the conversation goes on from there. */
  editMessage: (messageId: string, content: string) => Promise<boolean>
  /** Takes the text of an own message and of the answers to it away for good, or that of one answer. */
  deleteMessage: (messageId: string) => Promise<boolean>
  /** Everything up to it is read, as soon as a person looks. */
  markRead: (messageId: string) => void
  setPresence: (status: ConnectedStatus) => void
}
