import type { MessageStatus } from '../../lib/types/socket'
import { useTexts } from './texts'

export interface MessageStatusIndicatorProps {
  status: MessageStatus
  onRetry?: (() => void) | undefined
  /** By default the browser's. */
  locale?: string | undefined
}

const SYMBOLS: Record<MessageStatus, string> = { pending: '⏳', sent: '✓', failed: '⚠️' }

/** Whether a message is sent; where it is not, a way to send it again. */
export function MessageStatusIndicator({ status, onRetry, locale }: MessageStatusIndicatorProps) {
  const texts = useTexts(locale)
  return (
    <span className="rejoinder-message-status" data-status={status}>
      <span role="img" aria-label={texts.message[status]} title={texts.message[status]}>
        {SYMBOLS[status]}
      </span>
      {status === 'failed' && onRetry ? (
        <button type="button" className="rejoinder-link-button" onClick={() => onRetry()}>
          {texts.retry}
        </button>
      ) : null}
    </span>
  )
}
