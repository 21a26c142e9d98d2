import { useId, useRef } from 'react'
import { useModalFocus } from '@/components/ui/useModalFocus'
import type { AnswerPrompt, ErrorCode } from '@/index'
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
  const titleId = useId()
  const dialog = useRef<HTMLDivElement>(null)
  useModalFocus(dialog, onClose)
  return (
    <div className="rejoinder-backdrop">
      <div
        ref={dialog}
        role="dialog"
        aria-modal="true"
        aria-labelledby={titleId}
        tabIndex={-1}
        className="animate-scaleIn flex max-h-[85dvh] w-full max-w-2xl flex-col rounded-2xl border border-line bg-surface p-4 text-ink shadow-xl outline-none"
      >
        <h2 id={titleId} className="font-semibold text-lg">
          {t.promptTitle}
        </h2>
        <p className="text-muted text-sm" aria-live="polite">
          {failure ? sentenceOf(failure, t) : prompt ? factsOf(prompt, t) : t.loading}
        </p>
        {prompt && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
          <ol tabIndex={0} aria-labelledby={titleId} className="my-3 min-h-0 overflow-y-auto">
            {prompt.messages.map(({ role, content }, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a prompt never changes
              <li key={place} className="mb-3">
                <p className="font-semibold text-muted text-xs">{t.promptRoles[role]}</p>
                <p className="whitespace-pre-wrap break-words font-mono text-sm">{content}</p>
              </li>
            ))}
          </ol>
        )}
        <div className="mt-2 flex justify-end">
          <button type="button" className="button-primary" onClick={onClose}>
            {t.close}
          </button>
        </div>
      </div>
    </div>
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
