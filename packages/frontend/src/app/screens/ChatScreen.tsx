import { type ReactNode, type RefObject, useCallback, useEffect, useRef, useState } from 'react'
import { useText } from '@/components/chat/i18n/TextContext'
import {
  type ConnectionReplaced,
  ConnectionReplacedModal,
  ConnectionStatus,
  createRoom,
  type RoomSummary,
  socketTransport,
  unsentRooms,
  useSocket,
} from '@/index'
import { SERVER } from '../server'
import type { Session } from '../session'
import { useAwareness } from '../state/useAwareness'
import { useChatLists } from '../state/useChatLists'
import { useMedia } from '../state/useMedia'
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
  const { characters, rooms, addRoom, reloadCharacters, reloadRooms } = lists
  const { start, startError } = useStart(session.token, addRoom)
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
      onRetry={() => {
        void reloadCharacters()
        void reloadRooms()
      }}
      onSignOut={props.onSignOut}
      findUnsent={findUnsent}
      preferences={preferences}
      account={<AccountPreferences token={session.token} notifications={notifications} />}
      unreadIn={unreadIn}
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
            {roomId === undefined && <HomeScreen>{!wide && sidebar}</HomeScreen>}
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
