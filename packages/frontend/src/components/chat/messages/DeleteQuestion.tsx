import { type KeyboardEvent, useEffect, useId, useRef } from 'react'
import { useText } from '../i18n/TextContext'

export interface DeleteQuestionProps {
  question: string
  onDelete: () => void
  onClose: () => void
}

/** Below a message that is to be taken away: whether it really is. */
export function DeleteQuestion({ question, onDelete, onClose }: DeleteQuestionProps) {
  const { t } = useText()
  const id = useId()
  const keep = useRef<HTMLButtonElement>(null)
  useEffect(() => keep.current?.focus({ preventScroll: true }), [])
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onClose()
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in
    <div
      role="group"
      aria-labelledby={id}
      onKeyDown={onKeyDown}
      className="mt-1 flex w-fit max-w-full flex-wrap items-center justify-end gap-x-2 rounded-xl bg-surface px-3 py-1 text-sm ring-1 ring-line"
    >
      <p id={id}>{question}</p>
      <div className="flex gap-1">
        <button ref={keep} type="button" className="button-quiet min-h-11" onClick={onClose}>
          {t.cancel}
        </button>
        <button type="button" className="button-quiet min-h-11 text-danger" onClick={onDelete}>
          {t.deleteNow}
        </button>
      </div>
    </div>
  )
}
