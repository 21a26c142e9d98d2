import { useText } from '../i18n/TextContext'

/** What a character thinks before it answers, folded away; folded again when the answer begins. */
export function Thinking({ text, answers }: { text: string; answers: boolean }) {
  const { t } = useText()
  return (
    <details key={String(answers)} className="mb-1.5 text-muted text-sm">
      <summary className="w-fit cursor-pointer rounded-lg py-1">
        {answers ? t.thoughts : t.thinking}
      </summary>
      <p className="mt-1 max-h-60 overflow-y-auto whitespace-pre-wrap break-words border-line border-s-2 ps-3">
        {text}
      </p>
    </details>
  )
}
