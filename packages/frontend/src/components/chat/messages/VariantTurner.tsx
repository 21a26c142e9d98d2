import type { KeyboardEvent } from 'react'
import type { ChatMessage } from '@/index'
import { Icon } from '../common/Icon'
import { useText } from '../i18n/TextContext'

export interface VariantTurnerProps {
  message: ChatMessage
  index: number
  count: number
  onShow: (index: number) => void
}

/** Leads from a message to the others that stand at its place. */
export function VariantTurner({ message, index, count, onShow }: VariantTurnerProps) {
  const words = useWords(message)
  const turn = (to: number) => {
    if (to >= 0 && to < count) onShow(to)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowLeft') turn(index - 1)
    else if (event.key === 'ArrowRight') turn(index + 1)
    else return
    event.preventDefault()
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in
    <div
      role="group"
      aria-label={words.of(index + 1, count)}
      onKeyDown={onKeyDown}
      className="flex items-center text-muted text-sm"
    >
      <Turn
        label={words.previous}
        icon="left"
        possible={index > 0}
        onTurn={() => turn(index - 1)}
      />
      <span className="tabular-nums" aria-hidden="true">
        {index + 1} / {count}
      </span>
      <span className="sr-only">{words.of(index + 1, count)}</span>
      <Turn
        label={words.next}
        icon="right"
        possible={index < count - 1}
        onTurn={() => turn(index + 1)}
      />
    </div>
  )
}

/** What the message is called that others stand beside. */
function useWords({ role, replyTo }: ChatMessage) {
  const { t } = useText()
  if (role === 'user') return { previous: t.previousVersion, next: t.nextVersion, of: t.versionOf }
  if (replyTo === undefined)
    return { previous: t.previousGreeting, next: t.nextGreeting, of: t.greetingOf }
  return { previous: t.previousAnswer, next: t.nextAnswer, of: t.answerOf }
}

function Turn(props: {
  label: string
  icon: 'left' | 'right'
  possible: boolean
  onTurn: () => void
}) {
  return (
    <button
      type="button"
      aria-label={props.label}
      aria-disabled={!props.possible}
      className="button-quiet px-2 aria-disabled:opacity-40"
      onClick={props.onTurn}
    >
      <Icon name={props.icon} className="size-4" />
    </button>
  )
}
