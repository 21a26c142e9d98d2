import { useMemo } from 'react'
import { useAttention } from '@/components/chat/common/attention'
import { characterName } from '@/components/chat/common/people'
import { firstLine } from '@/components/chat/common/preview'
import { useText } from '@/components/chat/i18n/TextContext'
import {
  type CharacterSummary,
  type ChatMessage,
  type ChatSocket,
  type MessageDeleted,
  type RoomSummary,
  usePresence,
  useUnread,
} from '@/index'
import type { Session } from '../session'
import type { ChatLists } from './useChatLists'
import {
  type NotificationWords,
  useNotificationSettings,
  useNotifications,
} from './useNotifications'

const NO_ROOMS: readonly RoomSummary[] = []
const NO_CHARACTERS: readonly CharacterSummary[] = []

export interface AwarenessOptions {
  socket: ChatSocket | null
  session: Session
  /** The room that is open. */
  roomId: string | undefined
  lists: ChatLists
}

/** What a page does besides the room that it shows: says who is there, counts what is unread, notifies. */
export function useAwareness({ socket, session, roomId, lists }: AwarenessOptions) {
  usePresence({ socket })
  const attention = useAttention()
  const rooms = lists.rooms.data?.rooms ?? NO_ROOMS
  const words = useWords(rooms, lists.characters.data ?? NO_CHARACTERS)
  const notifications = useNotificationSettings()
  const notifier = useNotifications({
    ...words,
    mode: notifications.mode,
    roomId,
    isUnread: (...of) => unread.isUnread(...of),
  })
  const { userId } = session
  const onStale = lists.reloadRoomsSoon
  const onMessage = (message: ChatMessage) => {
    notifier.came(message)
    // The list shows the newest message of each room, too.
    onStale()
  }
  const onDeleted = ({ messageId }: MessageDeleted) => notifier.deleted(messageId)
  const unread = useUnread({ socket, rooms, userId, onStale, onMessage, onDeleted })
  // What is looked at is being read.
  const looked = attention && roomId !== undefined ? unread.of(roomId) : 0
  return { notifications, unreadIn: unread.of, total: unread.total - looked }
}

function useWords(
  rooms: readonly RoomSummary[],
  characters: readonly CharacterSummary[],
): NotificationWords {
  const { t } = useText()
  return useMemo(() => {
    const nameOf = (id: string | undefined) => (id ? characterName(characters, id) : t.unnamedRoom)
    const titleOf = ({ roomId, role, senderId }: ChatMessage) => {
      const room = rooms.find((each) => each.roomId === roomId)
      const title = room?.title ?? nameOf(room?.characterId)
      return t.notifyTitle(role === 'character' ? nameOf(senderId) : t.someone, title)
    }
    return { titleOf, hidden: t.notifyHidden, textOf: ({ content }) => firstLine(content) }
  }, [t, rooms, characters])
}
