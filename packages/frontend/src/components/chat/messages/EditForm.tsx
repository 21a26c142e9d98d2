import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { canSend, keyOf, sends } from '../composer/rules'
import { useHeight } from '../composer/useHeight'
import { useText } from '../i18n/TextContext'

export interface EditFormProps {
  text: string
  limitBytes: number
  /** Resolves to whether the server has it. */
  onSave: (text: string) => Promise<boolean>
  onClose: () => void
}

/** In place of an own message: its text, to be changed and sent anew. */
export function EditForm({ text, limitBytes, onSave, onClose }: EditFormProps) {
  const { t } = useText()
  const [draft, setDraft] = useState(text)
  const [isSaving, setSaving] = useState(false)
  const field = useRef<HTMLTextAreaElement>(null)
  const ready = canSend(draft, limitBytes) && !isSaving

  useEffect(() => {
    const element = field.current
    element?.focus({ preventScroll: true })
    element?.setSelectionRange(element.value.length, element.value.length)
  }, [])
  useHeight(field, draft)

  const save = async () => {
    if (!ready) return
    if (draft.trim() === text.trim()) {
      onClose()
      return
    }
    setSaving(true)
    const isDone = await onSave(draft.trim())
    setSaving(false)
    if (isDone) onClose()
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const { isComposing } = event.nativeEvent
    if (event.key === 'Escape' && !isComposing) onClose()
    else if (sends({ ...keyOf(event), isComposing })) void save()
    else return
    event.preventDefault()
  }

  return (
    <form
      className="w-[32rem] max-w-full"
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <textarea
        ref={field}
        rows={1}
        value={draft}
        aria-label={t.editLabel}
        className="field block max-h-[40dvh] resize-none leading-6"
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="mt-2 flex justify-end gap-2">
        <button type="button" className="button-quiet min-h-11" onClick={onClose}>
          {t.cancel}
        </button>
        <button type="submit" className="button-primary" disabled={!ready}>
          {t.send}
        </button>
      </div>
    </form>
  )
}
