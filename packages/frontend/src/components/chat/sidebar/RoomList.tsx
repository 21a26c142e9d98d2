import { type CharacterSummary, type ChatMessage, type RoomSummary, UnreadBadge } from '@/index'
import { Avatar } from '../common/Avatar'
import { characterName } from '../common/people'
import { firstLine } from '../common/preview'
import { useText } from '../i18n/TextContext'
import { shortTime } from '../messages/time'

export interface RoomListProps {
  rooms: readonly RoomSummary[]
  hasMore: boolean
  characters: readonly CharacterSummary[]
  currentRoomId: string | undefined
  hrefOf: (roomId: string) => string
  /** How much is unread in a room. */
  unreadIn: (roomId: string) => number
}

export function RoomList(props: RoomListProps) {
  const { t } = useText()
  if (props.rooms.length === 0) return <p className="px-2 text-muted text-sm">{t.noRooms}</p>
  return (
    <>
      <ul className="flex flex-col gap-1">
        {props.rooms.map((room) => (
          <RoomRow key={room.roomId} room={room} {...props} />
        ))}
      </ul>
      {props.hasMore && <p className="px-2 pt-2 text-muted text-sm">{t.moreRooms}</p>}
    </>
  )
}

function RoomRow({
  room,
  characters,
  currentRoomId,
  hrefOf,
  unreadIn,
}: RoomListProps & { room: RoomSummary }) {
  const { t, locale } = useText()
  const current = room.roomId === currentRoomId
  const partner = characters.find((each) => each.id === room.characterId)
  const name =
    room.title ?? (room.characterId ? characterName(characters, room.characterId) : t.unnamedRoom)
  const shown = room.preview ?? room.lastMessage
  const last = shown ? previewOf(shown, t.deleted) : t.emptyRoomShort
  // A room is called after what was said first in it, which need not be said twice.
  const preview = last === room.title ? (partner?.name ?? '') : last
  // The room that is open is being read, whatever the list said when it was fetched.
  const unread = current ? 0 : unreadIn(room.roomId)
  return (
    <li>
      <a
        href={hrefOf(room.roomId)}
        aria-current={current ? 'page' : undefined}
        className="flex items-center gap-3 rounded-xl p-2 hover:bg-sunken aria-[current]:bg-tint"
      >
        <Avatar
          id={room.characterId ?? room.roomId}
          name={partner?.name ?? name}
          square
          picture={partner?.picture}
          className="size-10"
        />
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2">
            <span className={`min-w-0 flex-1 truncate ${unread ? 'font-semibold' : 'font-medium'}`}>
              {name}
            </span>
            <time dateTime={room.updatedAt} className="shrink-0 text-muted text-xs tabular-nums">
              {shortTime(room.updatedAt, new Date(), locale)}
            </time>
          </span>
          <span className="flex items-center gap-2">
            <span className="min-w-0 flex-1 truncate text-muted text-sm">{preview}</span>
            <UnreadBadge count={unread} locale={locale} />
          </span>
        </span>
      </a>
    </li>
  )
}

function previewOf({ content, deletedAt }: ChatMessage, deleted: string): string {
  return deletedAt === undefined ? firstLine(content) || '…' : deleted
}
