import type { ConnectionState } from '../../lib/types/socket'
import { useTexts } from './texts'

export {
  ConnectionReplacedModal,
  type ConnectionReplacedModalProps,
} from './ConnectionReplacedModal'
export {
  MessageStatusIndicator,
  type MessageStatusIndicatorProps,
} from './MessageStatusIndicator'

export interface ConnectionStatusProps {
  connectionState: ConnectionState
  onReconnect?: (() => void) | undefined
  /** By default the browser's. */
  locale?: string | undefined
}

/** A banner at the top that says what is wrong with the connection, while something is. */
export function ConnectionStatus({ connectionState, onReconnect, locale }: ConnectionStatusProps) {
  const texts = useTexts(locale)
  if (connectionState === 'connected') return null
  const isOver = connectionState === 'failed' || connectionState === 'disconnected'
  return (
    <div
      role={connectionState === 'failed' ? 'alert' : 'status'}
      className="rejoinder-banner animate-slideDown"
      data-state={connectionState}
    >
      {isOver ? null : <span className="rejoinder-spinner" aria-hidden="true" />}
      <span>{texts.connection[connectionState]}</span>
      {isOver && onReconnect ? (
        <button type="button" className="rejoinder-button" onClick={() => onReconnect()}>
          {texts.reconnect}
        </button>
      ) : null}
    </div>
  )
}
