import { type ReactNode, useMemo } from 'react'
import type { ChatMessage, ChatView } from '@/index'
import { Icon } from '../common/Icon'
import type { People } from '../common/people'
import { useText } from '../i18n/TextContext'
import { lastOwn, readersOf } from './readers'
import { type MessageHandlers, SlotItem } from './SlotItem'
import { type Row, type Slot, toRows, toSlots } from './slots'
import { dayName } from './time'
import type { ChatScroll } from './useChatScroll'

export interface MessageListProps {
  chat: Pick<
    ChatView,
    | 'conversation'
    | 'variants'
    | 'streamingMessages'
    | 'thoughts'
    | 'failures'
    | 'readMarkers'
    | 'hasMore'
    | 'isLoadingHistory'
  >
  people: People
  handlers: MessageHandlers
  scroll: ChatScroll
  onLoadOlder: () => void
  /** Where one left off: what is new comes after it. */
  leftOff: number | null
  /** Below the last message. */
  footer: ReactNode
  /** In place of messages, as long as there are none. */
  empty: ReactNode
}

export function MessageList(props: MessageListProps) {
  const { chat, scroll } = props
  const { conversation: messages, variants } = chat
  const { t } = useText()
  const slots = useMemo(() => toSlots(messages, variants), [messages, variants])
  const { leftOff } = props
  const rows = useMemo(() => toRows(slots, leftOff), [slots, leftOff])
  const { userId } = props.people
  const asked = useMemo(() => ownIds(messages, userId), [messages, userId])
  const lastSlot = slots.at(-1)
  const own = lastOwn(messages, userId)
  const readers = readersOf(own, chat.readMarkers, userId).join(' ')
  return (
    <section
      ref={scroll.box}
      aria-label={t.conversation}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
      tabIndex={0}
      onScroll={scroll.onScroll}
      className="relative min-h-0 flex-1 overflow-y-auto overscroll-contain [overflow-anchor:none] focus-visible:-outline-offset-2"
    >
      <div className="mx-auto flex min-h-full w-full max-w-3xl flex-col justify-end px-4 pb-4">
        <Top {...props} />
        {messages.length === 0 && props.empty}
        <ol ref={scroll.content} className="flex flex-col">
          {rows.map((row) => (
            <li key={row.key} data-key={row.key}>
              {row.kind === 'new' && <NewLine />}
              {row.kind === 'day' && <DayLine timestamp={row.timestamp} />}
              {row.kind === 'slot' && (
                <SlotItem
                  slot={row.slot}
                  continues={row.continues}
                  people={props.people}
                  streamingText={runningText(row, chat.streamingMessages)}
                  thoughts={runningText(row, chat.thoughts)}
                  failures={chat.failures}
                  handlers={props.handlers}
                  readers={row.slot.variants[0]?.id === own?.id ? readers : null}
                  mayRegenerate={row.slot === lastSlot}
                  answersMe={asked.has(row.slot.variants[0]?.replyTo ?? '')}
                />
              )}
            </li>
          ))}
          <li key="footer">{props.footer}</li>
        </ol>
      </div>
    </section>
  )
}

function ownIds(messages: readonly ChatMessage[], userId: string): ReadonlySet<string> {
  return new Set(messages.filter(({ senderId }) => senderId === userId).map(({ id }) => id))
}

function runningText(row: Row & { slot: Slot }, texts: ReadonlyMap<string, string>) {
  const running = row.slot.variants.findLast((each) => texts.has(each.id))
  return running && texts.get(running.id)
}

/** Of one height whatever it says, so that the messages below it stay where they are. */
function Top({ chat, onLoadOlder }: MessageListProps) {
  const { t } = useText()
  return (
    <div className="grid min-h-14 place-items-center text-muted text-sm">
      {chat.isLoadingHistory ? (
        <span>{t.loadingOlder}</span>
      ) : chat.hasMore ? (
        <button type="button" className="button-quiet" onClick={onLoadOlder}>
          {t.loadOlder}
        </button>
      ) : (
        chat.conversation.length > 0 && <span>{t.historyStart}</span>
      )}
    </div>
  )
}

function DayLine({ timestamp }: { timestamp: string }) {
  const { t, locale } = useText()
  const day = dayName(timestamp, new Date(), locale)
  return (
    <div className="mt-5 flex items-center gap-3 text-muted text-xs before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
      {day.kind === 'date' ? day.text : t[day.kind]}
    </div>
  )
}

/** Where one left off; a scroll looks for it by its key. */
function NewLine() {
  const { t } = useText()
  return (
    <div className="mt-5 flex items-center gap-3 font-semibold text-accent text-xs before:h-px before:flex-1 before:bg-accent after:h-px after:flex-1 after:bg-accent">
      {t.newFromHere}
    </div>
  )
}

/** Leads back to the newest message for one who has scrolled away from it. */
export function NewestButton({ hasNew, onClick }: { hasNew: boolean; onClick: () => void }) {
  const { t } = useText()
  return (
    <button
      type="button"
      onClick={onClick}
      className={`-translate-x-1/2 absolute bottom-3 left-1/2 flex min-h-11 items-center gap-2 whitespace-nowrap rounded-full px-4 text-sm shadow-lg ring-1 ring-line ${hasNew ? 'bg-accent font-semibold text-on-accent' : 'bg-surface text-ink'}`}
    >
      <Icon name="down" className="size-4" />
      {hasNew ? t.newMessages : t.toNewest}
    </button>
  )
}
