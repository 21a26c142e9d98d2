import {
  type AnswerFailure,
  type ChatMessage,
  type MessageState,
  MessageStatusIndicator,
} from '@/index'
import { Icon } from '../common/Icon'
import type { Catalogue } from '../i18n/en'
import { useText } from '../i18n/TextContext'

/** How an answer ended, where it did not simply end. */
export function OutcomeNote({
  state,
  failure,
}: {
  state: MessageState
  failure: AnswerFailure | undefined
}) {
  const { t } = useText()
  if (state === 'complete' || state === 'streaming') return null
  const stopped = state === 'stopped'
  const sentence = {
    stopped: t.stateStopped,
    failed: failedSentence(failure, t),
    interrupted: t.stateInterrupted,
  }
  return (
    <p
      className={`mt-1.5 flex items-center gap-1.5 text-sm ${stopped ? 'text-muted' : 'text-danger'}`}
    >
      <Icon name={stopped ? 'stop' : 'warning'} className="size-4" />
      <span className="min-w-0">{sentence[state]}</span>
    </p>
  )
}

/** A character's own words are for the person; of any other failure the page has its own. */
function failedSentence(failure: AnswerFailure | undefined, t: Catalogue): string {
  switch (failure?.code) {
    case 'character_failed':
      return failure.error === '' ? t.stateFailed : t.failedBecause(failure.error)
    case 'rate_limited':
      return t.failedBusy
    case 'not_found':
      return t.failedGone
    case 'unavailable':
      return t.failedUnavailable
    default:
      return t.stateFailed
  }
}

/** How far an own message has come, with what may be done about one that was not sent. */
export function DeliveryState({
  message,
  onRetry,
  onDiscard,
}: {
  message: ChatMessage
  onRetry: (messageId: string) => void
  onDiscard: (messageId: string) => void
}) {
  const { t, locale } = useText()
  if (message.status !== 'pending' && message.status !== 'failed') return null
  return (
    <div className="mt-1 flex flex-wrap items-center justify-end gap-x-2 text-muted text-xs">
      <MessageStatusIndicator
        status={message.status}
        locale={locale}
        onRetry={() => onRetry(message.id)}
      />
      {message.status === 'failed' && (
        <button
          type="button"
          className="button-quiet min-h-8 px-2 text-xs"
          onClick={() => onDiscard(message.id)}
        >
          {t.discard}
        </button>
      )}
    </div>
  )
}

export interface ReadNoteProps {
  /** What the people are called who have read it. */
  people: readonly string[]
  /** What the characters are called that have taken it up. */
  characters: readonly string[]
}

/** Below one's own last message: that the server has it, or who has read it. */
export function ReadNote({ people, characters }: ReadNoteProps) {
  const { t, locale } = useText()
  const all = [...people, ...characters]
  if (all.length === 0)
    return (
      <p className="mt-1 text-muted text-xs">
        <MessageStatusIndicator status="sent" locale={locale} />
      </p>
    )
  return (
    <p className="mt-1 text-muted text-xs" title={t.readBy(all)}>
      {people.length > 0 ? t.read : t.readBy(all)}
    </p>
  )
}
