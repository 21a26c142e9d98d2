import { Icon } from '@/components/chat/common/Icon'
import { useText } from '@/components/chat/i18n/TextContext'

/** Something could not be loaded: why, and a way to try again. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useText()
  const sentence =
    error instanceof Error && isRefusal(error)
      ? t.serverSaid(error.code, error.message)
      : error instanceof TypeError
        ? t.serverUnreachable
        : error instanceof Error
          ? error.message
          : t.requestFailed
  return (
    <div role="alert" className="flex flex-wrap items-center gap-2 text-sm">
      <Icon name="warning" className="size-5 text-danger" />
      <span className="min-w-0 flex-1">{sentence}</span>
      {onRetry && (
        <button type="button" className="button-quiet" onClick={onRetry}>
          {t.tryAgain}
        </button>
      )}
    </div>
  )
}

/** Whether the server said it, over REST or over the socket. */
function isRefusal(error: Error): error is Error & { code: string } {
  return 'code' in error && typeof error.code === 'string'
}
