import { useMemo } from 'react'
import type { MessageHandlers } from '@/components/chat/messages/SlotItem'
import type { UseSocketChatReturn } from '@/index'

/** What a person can do with the messages of a chat. */
export function useMessageHandlers(
  chat: UseSocketChatReturn,
  onPrompt: MessageHandlers['onPrompt'],
  limitBytes: number,
) {
  const { retryMessage, discardMessage, regenerate } = chat
  const { continueAnswer, chooseMessage, editMessage, deleteMessage } = chat
  return useMemo<MessageHandlers>(
    () => ({
      onRetry: (messageId) => void retryMessage(messageId),
      onDiscard: discardMessage,
      onRegenerate: (messageId) => void regenerate(messageId),
      onContinue: (messageId) => void continueAnswer(messageId),
      onChoose: (messageId) => void chooseMessage(messageId),
      onEdit: editMessage,
      onDelete: (messageId) => void deleteMessage(messageId),
      onPrompt,
      limitBytes,
    }),
    [
      retryMessage,
      discardMessage,
      regenerate,
      continueAnswer,
      chooseMessage,
      editMessage,
      deleteMessage,
      onPrompt,
      limitBytes,
    ],
  )
}
