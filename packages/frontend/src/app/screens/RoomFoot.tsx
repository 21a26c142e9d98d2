import type { RefObject } from 'react'
import { Composer } from '@/components/chat/composer/Composer'
import { outboxNoteOf } from '@/components/chat/composer/rules'
import { useDraft } from '@/components/chat/composer/useDraft'
import { useText } from '@/components/chat/i18n/TextContext'
import { CastRow } from '@/components/chat/room/CastRow'
import { type CharacterSummary, CONTENT_LIMIT_BYTES, type UseSocketChatReturn } from '@/index'
import type { Session } from '../session'
import { useCast } from '../state/useCast'
import { useSending } from '../state/useSending'

export interface RoomFootProps {
  roomId: string
  session: Session
  chat: UseSocketChatReturn
  characters: readonly CharacterSummary[]
  contentLimitBytes: number | undefined
  /** Whom one talks with, where no other is spoken to. */
  partner: string | undefined
  title: string
  isRoomKnown: boolean
  field: RefObject<HTMLTextAreaElement | null>
  autoFocus: boolean
  reloadRooms: () => Promise<void>
  onSent: () => void
  /** Somebody is spoken to: the text is to be written now. */
  onAddressed: () => void
}

/** Where one writes, and whom to. */
export function RoomFoot(props: RoomFootProps) {
  const { roomId, chat, characters } = props
  const { t } = useText()
  const cast = useCast(chat, roomId, props.session.token, characters, props.reloadRooms)
  const { draft, onDraft, onSend } = useSending(useDraft(roomId), props.isRoomKnown, (text) => {
    props.onSent()
    void cast.send(text)
  })
  const running = chat.messages.findLast((each) => each.state === 'streaming')
  // In a room without a character nobody in particular is written to.
  const whom = cast.nextName ?? props.title
  return (
    <>
      <CastRow
        {...cast}
        first={props.partner}
        characters={characters}
        onAddress={(name) => {
          onDraft(`@${name} ${draft}`)
          props.onAddressed()
        }}
      />
      <Composer
        field={props.field}
        text={draft}
        onChange={onDraft}
        onSend={onSend}
        onTyping={chat.startTyping}
        onTypingEnd={chat.stopTyping}
        outboxNote={outboxNoteOf(chat)}
        onStop={running && (() => void chat.stopStream(running.id))}
        limitBytes={props.contentLimitBytes ?? CONTENT_LIMIT_BYTES}
        placeholder={whom === t.unnamedRoom ? t.composerLabel : t.composerPlaceholder(whom)}
        autoFocus={props.autoFocus}
      />
    </>
  )
}
