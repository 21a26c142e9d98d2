import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { characterName, type People } from '@/components/chat/common/people'
import { type StatusOf, StatusProvider } from '@/components/chat/common/presence'
import { useText } from '@/components/chat/i18n/TextContext'
import { MessageList, NewestButton } from '@/components/chat/messages/MessageList'
import { PromptDialog } from '@/components/chat/messages/PromptDialog'
import { firstKey, NEW_LINE } from '@/components/chat/messages/slots'
import { useChatScroll } from '@/components/chat/messages/useChatScroll'
import { useUnseen } from '@/components/chat/messages/useUnseen'
import { LineQuality } from '@/components/chat/room/LineQuality'
import { LiveRegion } from '@/components/chat/room/LiveRegion'
import type { ShownCharacter } from '@/components/chat/room/MembersPopover'
import { NobodyAnswers } from '@/components/chat/room/NobodyAnswers'
import { RoomGreeting } from '@/components/chat/room/RoomGreeting'
import { RoomHeader, type RoomHeaderProps } from '@/components/chat/room/RoomHeader'
import { TypingLine } from '@/components/chat/room/TypingLine'
import { useAnnouncements } from '@/components/chat/room/useAnnouncements'
import { useAutoRead } from '@/components/chat/room/useAutoRead'
import { useLeftOff } from '@/components/chat/room/useLeftOff'
import {
  type CharacterSummary,
  type ChatMessage,
  type ChatSocket,
  type ChatView,
  CONTENT_LIMIT_BYTES,
  type RoomSummary,
  type UseSocketChatReturn,
  useSocketChat,
} from '@/index'
import { hashOf, type Place, roomLink } from '../routing'
import type { Session } from '../session'
import { useJump } from '../state/useJump'
import { useKnownNames } from '../state/useKnownNames'
import { useIsKnown, useRemembered } from '../state/useKnownRoom'
import { useMessageHandlers } from '../state/useMessageHandlers'
import { usePrompt } from '../state/usePrompt'
import { useRefusal } from '../state/useRefusal'
import { useTitle } from '../state/useTitle'
import { Failure } from './Failure'
import { JumpNote } from './JumpNote'
import { RoomFoot } from './RoomFoot'
import { RoomMenu } from './RoomMenu'

export interface RoomScreenProps {
  roomId: string
  /** A message that the address leads to. */
  at: Place | undefined
  /** What the list of rooms knows of it, once it does. */
  room: RoomSummary | undefined
  session: Session
  socket: ChatSocket | null
  isConnected: boolean
  characters: readonly CharacterSummary[]
  contentLimitBytes: number | undefined
  /** Whether who asked for an answer may see what the model was asked. */
  showsPrompts: boolean
  reloadRooms: () => Promise<void>
  /** Something happened here that changes the list of rooms. */
  onActivity: () => void
}

export function RoomScreen(props: RoomScreenProps) {
  const { roomId, session, socket, isConnected, characters, onActivity } = props
  const { t } = useText()
  const { userId } = session
  const room = useRemembered(props.room)
  const [chosen, setChosen] = useState<string>()
  const partner = chosen ?? room?.characterId
  const chat = useSocketChat({ socket, isConnected, roomId, characterId: partner })
  const { messages, conversation, isInRoom } = chat
  const known = useKnownNames(roomId, session.token, isInRoom, chat.members, messages)

  const people = useMemo<People>(
    () => ({ userId, characters, nameOf: known.nameOf }),
    [userId, characters, known.nameOf],
  )
  const characterId = partner ?? messages.find((each) => each.role === 'character')?.characterId
  const face = characters.find((each) => each.id === characterId)
  const named = namesOf(chat.title ?? room?.title, face?.name ?? characterId ?? t.unnamedRoom)
  useTitle(named.title)

  const view = useView(chat, userId)
  const news = useAnnouncements(conversation, userId, isInRoom)
  useActivity(messages.at(-1), conversation.at(-1)?.id, isInRoom, onActivity)

  const statusOf = useStatusOf(chat)
  const refusal = useRefusal(chat.error, isInRoom)

  const jump = useJump(props.at, chat, view.scroll)
  const prompt = usePrompt(roomId, session.token)
  const { contentLimitBytes: limitBytes = CONTENT_LIMIT_BYTES } = props
  const handlers = useMessageHandlers(
    chat,
    props.showsPrompts ? prompt.open : undefined,
    limitBytes,
  )
  const isRoomKnown = useIsKnown(room, isInRoom, props.reloadRooms)
  const { composer, leadOn } = useComposerFocus()
  const choose = (id: string) => {
    setChosen(id)
    // A room without a character takes the first one chosen, and the list then says so.
    void chat.rejoinRoom(roomId, id).then(props.reloadRooms)
    leadOn()
  }

  return (
    <div className="flex h-full min-h-0 flex-col">
      <RoomTop
        {...props}
        named={named}
        face={{ id: characterId ?? roomId, picture: face?.picture }}
        people={{
          ...known,
          characters: shownCharacters(chat, characterId, characters),
        }}
        isOwn={room?.createdBy === userId}
      />
      <JumpNote jump={jump} />
      {refusal && <Refusal error={refusal} onRetry={() => void chat.joinRoom()} />}
      <StatusProvider statusOf={statusOf}>
        <div className="relative flex min-h-0 flex-1 flex-col">
          <MessageList
            chat={chat}
            people={people}
            handlers={handlers}
            scroll={view.scroll}
            leftOff={view.leftOff}
            onLoadOlder={view.loadOlder}
            footer={<TypingLine people={people} typingUsers={chat.typingUsers} />}
            empty={refusal ? null : <RoomGreeting character={face} />}
          />
          {!view.scroll.following && (
            <NewestButton hasNew={view.hasNew} onClick={view.scroll.toBottom} />
          )}
        </div>
      </StatusProvider>
      {!refusal && isRoomKnown && partner === undefined && (
        <NobodyAnswers characters={characters} onChoose={choose} onClose={leadOn} />
      )}
      <RoomFoot
        {...props}
        chat={chat}
        partner={partner}
        title={named.partner}
        isRoomKnown={isRoomKnown}
        field={composer}
        autoFocus={hasKeyboard()}
        onSent={view.scroll.toBottom}
        onAddressed={leadOn}
      />
      <LiveRegion news={news} people={people} />
      {prompt.shown && <PromptDialog {...prompt.shown} onClose={prompt.close} />}
    </div>
  )
}

/** What of the conversation is in view, and what follows from that. */
function useView(chat: UseSocketChatReturn, userId: string) {
  const { messages, conversation, variants, readMarkers, isInRoom, hasMore } = chat
  const loadOlder = () => {
    if (hasMore && !chat.isLoadingHistory && isInRoom) void chat.loadMessageHistory()
  }
  const leftOff = useLeftOff(conversation, readMarkers, userId, isInRoom)
  const scroll = useChatScroll(
    firstKey(conversation, variants),
    hasMore && isInRoom,
    loadOlder,
    leftOff === null ? undefined : NEW_LINE,
  )
  const hasNew = useUnseen(conversation.at(-1)?.id, scroll.following)
  // What stands on other branches counts as read with it: nobody need go there for that.
  useAutoRead(messages, scroll.inView, chat.markRead)
  return { scroll, leftOff, hasNew, loadOlder }
}

function RoomTop(
  props: Pick<RoomScreenProps, 'roomId' | 'session' | 'socket' | 'isConnected'> & {
    named: ReturnType<typeof namesOf>
    face: { id: string; picture: string | undefined }
    people: RoomHeaderProps['people']
    isOwn: boolean
  },
) {
  const { roomId, session, socket, isConnected, named, face, people, isOwn } = props
  const link = roomLink(roomId, window.location)
  return (
    <RoomHeader
      title={named.title}
      subtitle={named.subtitle}
      avatarId={face.id}
      picture={face.picture}
      people={people}
      userId={session.userId}
      link={link}
      homeHref={hashOf({ page: 'home' })}
    >
      <LineQuality socket={socket} isConnected={isConnected} />
      <RoomMenu
        roomId={roomId}
        title={named.roomTitle}
        link={link}
        isOwn={isOwn}
        session={session}
      />
    </RoomHeader>
  )
}

/** A room is called after what was said first in it; before that, after whom one talks with. */
function namesOf(roomTitle: string | undefined, partner: string) {
  if (roomTitle === undefined) return { title: partner, partner, roomTitle }
  return { title: roomTitle, subtitle: partner, partner, roomTitle }
}

function Refusal(props: { error: Error; onRetry: () => void }) {
  return (
    <div className="border-line border-b bg-surface px-4 py-2">
      <Failure {...props} />
    </div>
  )
}

/** How people and characters of the room are shown beside what they wrote. */
function useStatusOf({ members, characters }: Pick<ChatView, 'members' | 'characters'>): StatusOf {
  return useCallback(
    ({ id, kind }) =>
      kind === 'character'
        ? (characters.get(id) ?? 'idle')
        : members.find(({ userId }) => userId === id)?.status,
    [members, characters],
  )
}

/** Those who answer in the room: several, or the one whom one talks with. */
function shownCharacters(
  { characterIds, characters: statuses }: Pick<ChatView, 'characterIds' | 'characters'>,
  partner: string | undefined,
  characters: readonly CharacterSummary[],
): ShownCharacter[] {
  const alone = partner === undefined ? [] : [partner]
  return (characterIds.length > 0 ? characterIds : alone).map((id) => ({
    id,
    name: characterName(characters, id),
    status: statuses.get(id) ?? 'idle',
  }))
}

/** Leads the focus on from what vanishes with the button that was pressed in it. */
function useComposerFocus() {
  const composer = useRef<HTMLTextAreaElement>(null)
  const leadOn = () => {
    const next = hasKeyboard() ? composer.current : document.getElementById('main')
    next?.focus({ preventScroll: true })
  }
  return { composer, leadOn }
}

/** On a phone the focus would open the keyboard over half of the conversation. */
function hasKeyboard(): boolean {
  return window.matchMedia('(pointer: fine)').matches
}

/** Tells when the room's newest message or its last one in view is another one, or the newest has become whole. */
function useActivity(
  newest: ChatMessage | undefined,
  shownId: string | undefined,
  inRoom: boolean,
  onActivity: () => void,
) {
  const settled = newest?.state !== 'streaming'
  // biome-ignore lint/correctness/useExhaustiveDependencies: each newest message is reported once
  useEffect(() => {
    if (inRoom && settled) onActivity()
  }, [newest?.id, shownId, settled, inRoom, onActivity])
}
