import { Icon } from '@/components/chat/common/Icon'
import { useText } from '@/components/chat/i18n/TextContext'
import { RoomDialog } from '@/components/chat/room/RoomDialog'
import type { Session } from '../session'
import { useRoomSettings } from '../state/useRoomSettings'

export interface RoomMenuProps {
  roomId: string
  title: string | undefined
  link: string
  /** Whether one made the room. */
  isOwn: boolean
  session: Session
}

/** A button for what can be done with a room as a whole. */
export function RoomMenu({ roomId, title, link, isOwn, session }: RoomMenuProps) {
  const { t } = useText()
  const settings = useRoomSettings(roomId, session)
  return (
    <>
      <button
        type="button"
        aria-label={t.roomSettings}
        title={t.roomSettings}
        className="button-quiet px-2"
        onClick={settings.open}
      >
        <Icon name="more" />
      </button>
      {settings.isOpen && (
        <RoomDialog
          {...settings}
          title={title ?? ''}
          link={link}
          isOwn={isOwn}
          onClose={settings.close}
        />
      )}
    </>
  )
}
