import type { DragEvent, ReactNode } from 'react'
import { CardDialog } from '@/components/chat/cards/CardDialog'
import { CardImport } from '@/components/chat/cards/CardImport'
import { useText } from '@/components/chat/i18n/TextContext'
import { SearchBox } from '@/components/chat/search/SearchBox'
import { SearchResults } from '@/components/chat/search/SearchResults'
import { CharacterList } from '@/components/chat/sidebar/CharacterList'
import { RoomList } from '@/components/chat/sidebar/RoomList'
import type { CharacterSummary, RoomList as Rooms } from '@/index'
import { hashOf } from '../routing'
import type { Session } from '../session'
import { useCards } from '../state/useCards'
import type { Resource } from '../state/useResource'
import { useSearch } from '../state/useSearch'
import { Account } from './Account'
import { Failure } from './Failure'

export interface SidebarProps {
  session: Session
  characters: Resource<CharacterSummary[]>
  rooms: Resource<Rooms>
  currentRoomId: string | undefined
  startError: unknown
  onStart: (characterId: string) => void
  onRetry: () => void
  onSignOut: () => void
  findUnsent: () => Promise<readonly string[]>
  preferences: ReactNode
  /** What is the person's own, below it. */
  account: ReactNode
  /** How much is unread in a room. */
  unreadIn: (roomId: string) => number
  /** Whether one may import, export and delete character cards. */
  mayImport: boolean
  reloadCharacters: () => Promise<void>
  /** Whether it is the whole page, as on a phone. */
  alone?: boolean
}

export function Sidebar(props: SidebarProps) {
  const { characters, rooms, startError } = props
  const { t } = useText()
  const search = useSearch(props.session.token)
  const cards = useCards(props.session.token, props.reloadCharacters)
  const failed = [characters, rooms].find((each) => each.state === 'failed' && !each.data)
  return (
    <div className="flex h-full min-h-0 flex-col bg-surface pt-[env(safe-area-inset-top)]">
      <header className="px-5 pt-5 pb-2 font-bold text-xl tracking-tight">
        {props.alone ? <h1>Rejoinder</h1> : <p>Rejoinder</p>}
      </header>
      <SearchBox query={search.query} onQuery={search.setQuery} />
      <nav
        aria-label={t.rooms}
        className="min-h-0 flex-1 overflow-y-auto px-3 pb-4"
        {...(props.mayImport ? droppable(cards.importFiles) : {})}
      >
        {failed?.state === 'failed' && <Failure error={failed.error} onRetry={props.onRetry} />}
        {startError !== null && <Failure error={startError} />}
        {search.isOn && (
          <>
            {search.error !== null && <Failure error={search.error} />}
            <SearchResults
              {...search}
              onMore={search.more}
              characters={characters.data ?? []}
              userId={props.session.userId}
              hrefOf={({ roomId, messageId, seq }) =>
                hashOf({ page: 'room', roomId, at: { messageId, seq } })
              }
            />
          </>
        )}
        <Section title={t.newChat} resource={characters}>
          {(list) => (
            <>
              <CharacterList
                characters={list}
                onStart={props.onStart}
                onCard={props.mayImport ? cards.show : undefined}
              />
              {props.mayImport && <CardImport {...cards} onFiles={cards.importFiles} />}
            </>
          )}
        </Section>
        <Section title={t.rooms} resource={rooms}>
          {(list) => (
            <RoomList
              rooms={list.rooms}
              hasMore={list.hasMore}
              characters={characters.data ?? []}
              currentRoomId={props.currentRoomId}
              unreadIn={props.unreadIn}
              hrefOf={(roomId) => hashOf({ page: 'room', roomId })}
            />
          )}
        </Section>
      </nav>
      <Account session={props.session} onSignOut={props.onSignOut} findUnsent={props.findUnsent}>
        {props.preferences}
        {props.account}
      </Account>
      {cards.shown && <CardOf character={cards.shown} cards={cards} />}
    </div>
  )
}

function CardOf(props: { character: CharacterSummary; cards: ReturnType<typeof useCards> }) {
  const { character, cards } = props
  return (
    <CardDialog
      character={character}
      isBusy={cards.isBusy}
      problem={cards.problem}
      onExport={(format) => cards.exportAs(character.id, format)}
      onDelete={() => cards.remove(character.id)}
      onClose={() => cards.show(null)}
    />
  )
}

/** Takes files that are dropped there; other things that are dragged are none of its business. */
function droppable(onFiles: (files: File[]) => void) {
  const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files')
  return {
    onDragOver: (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault()
    },
    onDrop: (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      onFiles([...event.dataTransfer.files])
    },
  }
}

function Section<T>(props: {
  title: string
  resource: Resource<T>
  children: (data: T) => ReactNode
}) {
  const { t } = useText()
  const { data, state } = props.resource
  return (
    <section className="pt-3">
      <h2 className="px-2 py-1.5 font-semibold text-muted text-sm">{props.title}</h2>
      {data !== undefined && props.children(data)}
      {data === undefined && state === 'loading' && (
        <p className="px-2 text-muted text-sm">{t.loading}</p>
      )}
    </section>
  )
}
