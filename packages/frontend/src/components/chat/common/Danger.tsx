import { useState } from 'react'
import { useText } from '../i18n/TextContext'

export interface DangerProps {
  /** What the button says. */
  label: string
  /** What happens then. */
  warning: string
  isBusy: boolean
  onConfirm: () => void
}

/** What can't be undone is asked for twice. */
export function Danger({ label, warning, isBusy, onConfirm }: DangerProps) {
  const { t } = useText()
  const [asked, setAsked] = useState(false)
  if (!asked) {
    return (
      <button
        type="button"
        className="button-quiet -ms-2.5 w-fit text-danger"
        onClick={() => setAsked(true)}
      >
        {label}
      </button>
    )
  }
  return (
    <div role="alert" className="flex flex-col gap-3 rounded-xl border border-danger p-3 text-sm">
      <p>{warning}</p>
      <div className="flex flex-wrap gap-2">
        <button
          type="button"
          // The button that was pressed is gone; the one that does no harm has the focus then.
          ref={(button) => button?.focus()}
          className="button-quiet"
          onClick={() => setAsked(false)}
        >
          {t.cancel}
        </button>
        <button
          type="button"
          className="button-quiet font-semibold text-danger"
          disabled={isBusy}
          onClick={onConfirm}
        >
          {label}
        </button>
      </div>
    </div>
  )
}
