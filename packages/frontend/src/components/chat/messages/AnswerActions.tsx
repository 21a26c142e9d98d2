import type { ChatMessage } from '@/index'
import { Icon } from '../common/Icon'
import { useText } from '../i18n/TextContext'

export interface AnswerActionsProps {
  message: ChatMessage
  index: number
  count: number
  onShow: (index: number) => void
  /** Absent where no further answer can be asked for. */
  onRegenerate?: ((messageId: string) => void) | undefined
  /** Absent where it may not be seen what the model was asked. */
  onPrompt?: ((messageId: string) => void) | undefined
}

/** Below an answer: the other answers to the same message, and a way to ask for one more. */
export function AnswerActions(props: AnswerActionsProps) {
  const { message, index, count, onShow, onRegenerate, onPrompt } = props
  const { t } = useText()
  const ended = message.state !== 'streaming'
  const broke = message.state === 'failed' || message.state === 'interrupted'
  if (count < 2 && !onPrompt && !(ended && onRegenerate)) return null
  return (
    <div className="-ms-2.5 mt-1 flex flex-wrap items-center gap-1">
      {count > 1 && (
        <div className="flex items-center text-muted text-sm">
          <Turn label={t.previousAnswer} icon="left" to={index - 1} count={count} onShow={onShow} />
          <span className="tabular-nums" aria-hidden="true">
            {index + 1} / {count}
          </span>
          <span className="sr-only">{t.answerOf(index + 1, count)}</span>
          <Turn label={t.nextAnswer} icon="right" to={index + 1} count={count} onShow={onShow} />
        </div>
      )}
      {ended && onRegenerate && (
        <button
          type="button"
          className="button-quiet text-sm"
          onClick={() => onRegenerate(message.id)}
        >
          <Icon name="again" className="size-4" />
          {broke ? t.tryAgain : t.regenerate}
        </button>
      )}
      {onPrompt && (
        <button type="button" className="button-quiet text-sm" onClick={() => onPrompt(message.id)}>
          {t.showPrompt}
        </button>
      )}
    </div>
  )
}

function Turn(props: {
  label: string
  icon: 'left' | 'right'
  to: number
  count: number
  onShow: (index: number) => void
}) {
  const possible = props.to >= 0 && props.to < props.count
  return (
    <button
      type="button"
      aria-label={props.label}
      aria-disabled={!possible}
      className="button-quiet px-2 aria-disabled:opacity-40"
      onClick={() => possible && props.onShow(props.to)}
    >
      <Icon name={props.icon} className="size-4" />
    </button>
  )
}
