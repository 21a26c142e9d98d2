import { type ReactNode, type RefObject, useCallback, useEffect, useRef, useState } from 'react'
import { useText } from '@/components/chat/i18n/TextContext'
import {
  type ChatSocket,
  type ConnectionReplaced,
  ConnectionReplacedModal,
  ConnectionStatus,
  createRoom,
  type RoomDeleted,
  type RoomSummary,
  type RoomUpdated,
  type ServerInfo,
  socketTransport,
  unsentRooms,
  useSocket,
} from '@/index'
import { SERVER } from '../server'
import type { Session } from '../session'
import { useAwareness } from '../state/useAwareness'
import { useChatLists } from '../state/useChatLists'
import { useMedia } from '../state/useMedia'
import { useRoomEvents } from '../state/useRoomEvents'
import { goTo, useRoute } from '../state/useRoute'
import { UnreadTotal } from '../state/useTitle'
import { sharesTabs } from '../tabs'
import { AccountPreferences } from './AccountPreferences'
import { HomeScreen } from './HomeScreen'
import { RoomScreen } from './RoomScreen'
import { Sidebar } from './Sidebar'

export interface ChatScreenProps {
  session: Session
  contentLimitBytes: number | undefined
  showsPrompts: boolean
  /** Who may import character cards. */
  cards: ServerInfo['cards']
  onSignOut: () => void
  onSessionEnded: () => void
  preferences: ReactNode
}

/** Wide enough for the lists and a room side by side. */
const WIDE = '(min-width: 48rem)'

/** Everything behind the sign-in: one connection, the lists, and the room that the address names. */
export default function ChatScreen(props: ChatScreenProps) {
  const { session, preferences, onSessionEnded } = props
  const { locale } = useText()
  const route = useRoute()
  const roomId = route.page === 'room' ? route.roomId : undefined
  const [replaced, setReplaced] = useState<ConnectionReplaced | null>(null)
  const { socket, isConnected, connectionState, lastError, reconnect } = useSocket({
    url: SERVER,
    token: session.token,
    locale,
    shareAcrossTabs: sharesTabs(),
    onReplaced: setReplaced,
    onAuthRequired: onSessionEnded,
  })
  const lists = useChatLists(session.token, isConnected)
  const { characters, rooms, reloadCharacters, reloadRooms } = lists
  const isGone = useGone(socket, roomId, lists.renameRoom, lists.removeRoom)
  const { start, startError } = useStart(session.token, lists.addRoom)
  const { notifications, unreadIn, total } = useAwareness({ socket, session, roomId, lists })
  useRefusedEnd(!isConnected && lastError?.code === 'unauthorized', onSessionEnded)
  useEndOf(replaced !== null && isConnected, setReplaced)
  const comeBack = useCallback(() => {
    setReplaced(null)
    reconnect()
  }, [reconnect])

  const findUnsent = useCallback(
    async () => (socket ? unsentRooms(socketTransport(socket), session.userId) : []),
    [socket, session.userId],
  )

  const wide = useMedia(WIDE)
  const main = useRef<HTMLElement>(null)
  useFocusAfter(roomId, main)
  const sidebar = (
    <Sidebar
      session={session}
      characters={characters}
      rooms={rooms}
      currentRoomId={roomId}
      startError={startError}
      onStart={start}
      onRetry={() => void Promise.all([reloadCharacters(), reloadRooms()])}
      onSignOut={props.onSignOut}
      findUnsent={findUnsent}
      preferences={preferences}
      account={<AccountPreferences token={session.token} notifications={notifications} />}
      unreadIn={unreadIn}
      mayImport={props.cards === 'anyone'}
      reloadCharacters={reloadCharacters}
      alone={!wide}
    />
  )

  return (
    <UnreadTotal value={total}>
      <div className="flex h-dvh flex-col overflow-hidden ps-[env(safe-area-inset-left)] pe-[env(safe-area-inset-right)]">
        <SkipLink />
        <ConnectionStatus
          connectionState={connectionState}
          onReconnect={comeBack}
          locale={locale}
        />
        <div className="flex min-h-0 flex-1">
          {wide && <div className="w-76 shrink-0 border-line border-e">{sidebar}</div>}
          <main ref={main} id="main" tabIndex={-1} className="min-w-0 flex-1 outline-none">
            {roomId !== undefined && (
              <RoomScreen
                key={roomId}
                roomId={roomId}
                at={route.page === 'room' ? route.at : undefined}
                room={rooms.data?.rooms.find((each) => each.roomId === roomId)}
                session={session}
                socket={socket}
                isConnected={isConnected}
                characters={characters.data ?? []}
                contentLimitBytes={props.contentLimitBytes}
                showsPrompts={props.showsPrompts}
                reloadRooms={reloadRooms}
                onActivity={lists.reloadRoomsSoon}
              />
            )}
            {roomId === undefined && <HomeScreen isGone={isGone}>{!wide && sidebar}</HomeScreen>}
          </main>
        </div>
        <ConnectionReplacedModal
          isOpen={replaced !== null}
          message={replaced?.message}
          locale={locale}
          onClose={() => setReplaced(null)}
          onReconnect={comeBack}
        />
      </div>
    </UnreadTotal>
  )
}

/** Without a valid token there is nothing here. */
function useRefusedEnd(isRefused: boolean, onSessionEnded: () => void) {
  useEffect(() => {
    if (isRefused) onSessionEnded()
  }, [isRefused, onSessionEnded])
}

/** Another tab may have been asked to take the connection back. */
function useEndOf(isBack: boolean, setReplaced: (replaced: null) => void) {
  useEffect(() => {
    if (isBack) setReplaced(null)
  }, [isBack, setReplaced])
}

/** Keeps the list of rooms as the server tells, and leads away from a room that was deleted; whether that has happened. */
function useGone(
  socket: ChatSocket | null,
  roomId: string | undefined,
  onTitle: (update: RoomUpdated) => void,
  removeRoom: (roomId: string) => void,
): boolean {
  const [isGone, setGone] = useState(false)
  // Who deletes a room may have left it before the server tells of it.
  const last = useRef(roomId)
  const onDeleted = useCallback(
    (deleted: RoomDeleted) => {
      removeRoom(deleted.roomId)
      if (deleted.roomId !== last.current) return
      setGone(true)
      goTo({ page: 'home' })
    },
    [removeRoom],
  )
  useRoomEvents(socket, { onTitle, onDeleted })
  useEffect(() => {
    if (roomId === undefined) return
    last.current = roomId
    setGone(false)
  }, [roomId])
  return isGone
}

/** Makes a room with a character and goes there. */
function useStart(token: string, onStarted: (room: RoomSummary) => void) {
  const [startError, setStartError] = useState<unknown>(null)
  const start = (characterId: string) => {
    setStartError(null)
    createRoom({ characterId }, { url: SERVER, token }).then((room) => {
      onStarted(room)
      goTo({ page: 'room', roomId: room.roomId })
    }, setStartError)
  }
  return { start, startError }
}

/** Where what had the focus has gone with the screen before, the next one gets it. */
function useFocusAfter(roomId: string | undefined, main: RefObject<HTMLElement | null>) {
  const shown = useRef(roomId)
  useEffect(() => {
    if (shown.current === roomId) return
    shown.current = roomId
    if (document.activeElement === document.body) main.current?.focus({ preventScroll: true })
  }, [roomId, main])
}

function SkipLink() {
  const { t } = useText()
  return (
    <button
      type="button"
      className="button-primary sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50"
      onClick={() => document.getElementById('main')?.focus()}
    >
      {t.skipToMessages}
    </button>
  )
}
