import { useText } from '../i18n/TextContext'
import { Icon } from './Icon'
import { useCopy } from './useCopy'

/** Puts the address of a room on the clipboard. */
export function CopyLink({ link, className = '' }: { link: string; className?: string }) {
  const { t } = useText()
  const [state, copy] = useCopy()
  const label = { idle: t.copyLink, copied: t.copied, refused: t.copyFailed }[state]
  return (
    <button type="button" className={`button-quiet ${className}`} onClick={() => copy(link)}>
      <Icon name={state === 'copied' ? 'check' : 'link'} />
      <span aria-live="polite">{label}</span>
    </button>
  )
}
