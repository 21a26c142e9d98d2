import { useId, useRef } from 'react'
import { useTexts } from './texts'
import { useModalFocus } from './useModalFocus'

export interface ConnectionReplacedModalProps {
  isOpen: boolean
  onClose: () => void
  onReconnect: () => void
  /** The server's own sentence, where one is at hand. */
  message?: string | undefined
  /** By default the browser's. */
  locale?: string | undefined
}

/** Says that a newer connection took over, and offers to take it back. */
export function ConnectionReplacedModal(props: ConnectionReplacedModalProps) {
  return props.isOpen ? <ReplacedDialog {...props} /> : null
}

function ReplacedDialog({ onClose, onReconnect, message, locale }: ConnectionReplacedModalProps) {
  const { replaced } = useTexts(locale)
  const titleId = useId()
  const textId = useId()
  const dialog = useRef<HTMLDivElement>(null)
  useModalFocus(dialog, onClose)
  return (
    <div className="rejoinder-backdrop">
      <div
        ref={dialog}
        role="dialog"
        aria-modal="true"
        aria-labelledby={titleId}
        aria-describedby={textId}
        tabIndex={-1}
        className="rejoinder-dialog animate-scaleIn"
      >
        <h2 id={titleId}>{replaced.title}</h2>
        <p id={textId}>{message ?? replaced.text}</p>
        <div className="rejoinder-dialog-buttons">
          <button type="button" className="rejoinder-button" onClick={() => onClose()}>
            {replaced.close}
          </button>
          <button
            type="button"
            className="rejoinder-button"
            data-primary
            onClick={() => {
              onReconnect()
              onClose()
            }}
          >
            {replaced.reconnect}
          </button>
        </div>
      </div>
    </div>
  )
}
