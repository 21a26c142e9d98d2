import type { ConnectionState } from '../../lib/types/socket'
import { useTexts } from './texts'
import { useIsDue, useOnline } from './useTrouble'

export { ConnectionQuality, type ConnectionQualityProps } from './ConnectionQuality'
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
  /** How long something must be wrong before it is shown, in milliseconds; by default 2 s. */
  delayMs?: number | undefined
}

/** A connection that is back within that time was no trouble to anybody. */
const DELAY_MS = 2_000

/** A banner at the top that says what is wrong with the connection, while something is. */
export function ConnectionStatus(props: ConnectionStatusProps) {
  return props.connectionState === 'connected' ? null : <Banner {...props} />
}

function Banner({ connectionState, onReconnect, locale, delayMs }: ConnectionStatusProps) {
  const texts = useTexts(locale)
  const isOnline = useOnline()
  const isDue = useIsDue(delayMs ?? DELAY_MS)
  if (connectionState === 'connected') return null
  const isOver = connectionState === 'failed' || connectionState === 'disconnected'
  return (
    <div
      // Appears, rather than to become visible: so it is read out.
      key={`${isDue}`}
      role={connectionState === 'failed' ? 'alert' : 'status'}
      className="rejoinder-banner animate-slideDown"
      data-state={connectionState}
      data-waiting={isDue ? undefined : true}
      data-offline={isOnline ? undefined : true}
    >
      {isOver || !isOnline ? null : <span className="rejoinder-spinner" aria-hidden="true" />}
      <span>{isOnline ? texts.connection[connectionState] : texts.offline}</span>
      {isOver && onReconnect ? (
        <button type="button" className="rejoinder-button" onClick={() => onReconnect()}>
          {texts.reconnect}
        </button>
      ) : null}
    </div>
  )
}
