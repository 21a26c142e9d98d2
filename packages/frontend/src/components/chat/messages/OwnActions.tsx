import type { Ref } from 'react'
import { Icon } from '../common/Icon'
import { useText } from '../i18n/TextContext'
import { VariantTurner, type VariantTurnerProps } from './VariantTurner'

export interface OwnActionsProps extends VariantTurnerProps {
  /** Absent of messages that are not one's own, or are not there any more. */
  onEdit?: (() => void) | undefined
  onDelete?: (() => void) | undefined
  editButton: Ref<HTMLButtonElement>
}

/** Below what a person wrote: its versions, and what one may do with one's own. */
export function OwnActions({ onEdit, onDelete, editButton, ...turner }: OwnActionsProps) {
  const { t } = useText()
  if (turner.count < 2 && !onEdit && !onDelete) return null
  return (
    <div className="-me-2 flex flex-wrap items-center justify-end">
      {(onEdit || onDelete) && (
        <div className="pointer-fine:opacity-0 transition-opacity focus-within:opacity-100 group-hover/message:opacity-100">
          {onEdit && (
            <button
              ref={editButton}
              type="button"
              aria-label={t.edit}
              title={t.edit}
              className="button-quiet min-h-8 px-2"
              onClick={onEdit}
            >
              <Icon name="pen" className="size-4" />
            </button>
          )}
          {onDelete && (
            <button
              type="button"
              aria-label={t.deleteMessage}
              title={t.deleteMessage}
              className="button-quiet min-h-8 px-2"
              onClick={onDelete}
            >
              <Icon name="bin" className="size-4" />
            </button>
          )}
        </div>
      )}
      {turner.count > 1 && <VariantTurner {...turner} />}
    </div>
  )
}
