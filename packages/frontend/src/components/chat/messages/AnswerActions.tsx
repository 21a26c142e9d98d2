import type { ChatMessage } from '@/index'
import { Icon } from '../common/Icon'
import { useText } from '../i18n/TextContext'
import { VariantTurner } from './VariantTurner'

type Act = ((messageId: string) => void) | undefined

export interface AnswerActionsProps {
  message: ChatMessage
  index: number
  count: number
  onShow: (index: number) => void
  /** Absent where no further answer can be asked for. */
  onRegenerate?: Act
  /** Absent where it can't go on. */
  onContinue?: Act
  /** Absent where it may not be seen what the model was asked. */
  onPrompt?: Act
  /** Absent where one may not take it away. */
  onDelete?: (() => void) | undefined
}

/** Below an answer: the other answers to the same message, and what may be done with it. */
export function AnswerActions(props: AnswerActionsProps) {
  const { message, count, onRegenerate, onContinue, onPrompt, onDelete } = props
  const { t } = useText()
  const ended = message.state !== 'streaming' && message.deletedAt === undefined
  const broke = message.state === 'failed' || message.state === 'interrupted'
  const offered = ended && (onRegenerate || onContinue || onDelete)
  if (count < 2 && !onPrompt && !offered) return null
  return (
    <div className="-ms-2.5 mt-1 flex flex-wrap items-center gap-1">
      {count > 1 && <VariantTurner {...props} />}
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
      {ended && onContinue && message.content !== '' && (
        <button
          type="button"
          className="button-quiet text-sm"
          onClick={() => onContinue(message.id)}
        >
          <Icon name="goOn" className="size-4" />
          {t.continueAnswer}
        </button>
      )}
      {onPrompt && message.deletedAt === undefined && (
        <button type="button" className="button-quiet text-sm" onClick={() => onPrompt(message.id)}>
          {t.showPrompt}
        </button>
      )}
      {ended && onDelete && (
        <button
          type="button"
          aria-label={t.deleteAnswer}
          title={t.deleteAnswer}
          className="button-quiet px-2"
          onClick={onDelete}
        >
          <Icon name="bin" className="size-4" />
        </button>
      )}
    </div>
  )
}
