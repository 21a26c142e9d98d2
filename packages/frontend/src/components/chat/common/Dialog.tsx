import { type ReactNode, useId, useRef } from 'react'
import { useModalFocus } from '@/components/ui/useModalFocus'
import { useText } from '../i18n/TextContext'

export interface DialogProps {
  title: string
  /** For what is read and not only answered. */
  isWide?: boolean
  onClose: () => void
  children: ReactNode
}

/** Something to be settled before one goes on; Escape closes it. */
export function Dialog({ title, isWide = false, onClose, children }: DialogProps) {
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
        className={`animate-scaleIn flex max-h-[90dvh] w-full ${isWide ? 'max-w-2xl' : 'max-w-md'} flex-col gap-4 overflow-y-auto rounded-2xl border border-line bg-surface p-5 text-ink shadow-xl outline-none`}
      >
        <h2 id={titleId} className="font-semibold text-lg">
          {title}
        </h2>
        {children}
        <div className="flex justify-end">
          <button type="button" className="button-quiet" onClick={onClose}>
            {t.close}
          </button>
        </div>
      </div>
    </div>
  )
}
