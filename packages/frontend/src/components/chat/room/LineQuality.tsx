import { type ChatSocket, ConnectionQuality, useConnectionQuality } from '@/index'
import { useText } from '../i18n/TextContext'

/** How good the line is, while there is one. */
export function LineQuality(props: { socket: ChatSocket | null; isConnected: boolean }) {
  const { locale } = useText()
  const line = useConnectionQuality({ socket: props.socket })
  return props.isConnected ? <ConnectionQuality {...line} locale={locale} /> : null
}
