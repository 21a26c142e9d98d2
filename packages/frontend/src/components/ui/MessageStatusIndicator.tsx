import type { MessageStatus } from '../../lib/types/socket'
import { useTexts } from './texts'

export interface MessageStatusIndicatorProps {
  status: MessageStatus
  onRetry?: (() => void) | undefined
  /** By default the browser's. */
  locale?: string | undefined
}

const SYMBOLS: Record<MessageStatus, string> = { pending: '⏳', sent: '✓', failed: '⚠️' }

/** The same symbols as drawings: where no font has them, the characters are empty boxes. */
const DRAWINGS: Record<MessageStatus, string> = {
  pending: 'M6 3h12M6 21h12M8 3v3c0 4 8 8 8 12v3M16 3v3c0 4-8 8-8 12v3',
  sent: 'm5 12.5 4.5 4.5L19 7.5',
  failed: 'M12 4 2.8 20h18.4L12 4Zm0 6v4.5m0 2.7v.1',
}

/** Whether a message is sent; where it is not, a way to send it again. */
export function MessageStatusIndicator({ status, onRetry, locale }: MessageStatusIndicatorProps) {
  const texts = useTexts(locale)
  return (
    <span className="rejoinder-message-status" data-status={status}>
      <span role="img" aria-label={texts.message[status]} title={texts.message[status]}>
        <span className="rejoinder-symbol">{SYMBOLS[status]}</span>
        <svg
          aria-hidden="true"
          width="1em"
          height="1em"
          viewBox="0 0 24 24"
          fill="none"
          stroke="currentColor"
          strokeWidth="2"
          strokeLinecap="round"
          strokeLinejoin="round"
        >
          <path d={DRAWINGS[status]} />
        </svg>
      </span>
      {status === 'failed' && onRetry ? (
        <button type="button" className="rejoinder-link-button" onClick={() => onRetry()}>
          {texts.retry}
        </button>
      ) : null}
    </span>
  )
}
