import type { AnswerPrompt, ErrorCode } from '@/index'
import { Dialog } from '../common/Dialog'
import type { Catalogue } from '../i18n/en'
import { useText } from '../i18n/TextContext'

export interface PromptDialogProps {
  /** As far as it is known by now. */
  prompt?: AnswerPrompt | undefined
  /** Why it can't be shown. */
  failure?: ErrorCode | undefined
  onClose: () => void
}

/** What a model was really asked for an answer, word for word. */
export function PromptDialog({ prompt, failure, onClose }: PromptDialogProps) {
  const { t } = useText()
  return (
    <Dialog title={t.promptTitle} isWide onClose={onClose}>
      <p className="text-muted text-sm" aria-live="polite">
        {failure ? sentenceOf(failure, t) : prompt ? factsOf(prompt, t) : t.loading}
      </p>
      {prompt && (
        <ol>
          {prompt.messages.map(({ role, content }, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: these have no ids, and a prompt is never reordered
            <li key={place} className="mb-3">
              <p className="font-semibold text-muted text-xs">{t.promptRoles[role]}</p>
              <p className="whitespace-pre-wrap break-words font-mono text-sm">{content}</p>
            </li>
          ))}
        </ol>
      )}
    </Dialog>
  )
}

function sentenceOf(failure: ErrorCode, t: Catalogue): string {
  if (failure === 'not_found') return t.promptGone
  return failure === 'forbidden' ? t.promptForbidden : t.requestFailed
}

function factsOf({ model, usage }: AnswerPrompt, t: Catalogue): string {
  const tokens = usage && t.promptTokens(usage.promptTokens, usage.completionTokens)
  return [model, tokens].filter(Boolean).join(' · ')
}
