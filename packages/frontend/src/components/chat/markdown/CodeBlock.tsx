import type { Element, ElementContent } from 'hast'
import type { ReactNode } from 'react'
import { Icon } from '../common/Icon'
import { useCopy } from '../common/useCopy'
import { useText } from '../i18n/TextContext'

/** A fenced block: its language, a button that copies it, and the code in a box that scrolls. */
export function CodeBlock({ node, children }: { node: Element | undefined; children: ReactNode }) {
  const { t } = useText()
  const [copyState, copy] = useCopy()
  const label =
    copyState === 'copied' ? t.copied : copyState === 'refused' ? t.copyFailed : t.copyCode
  return (
    <div className="md-code">
      <div className="flex items-center justify-between gap-2 border-line border-b ps-3 pe-1">
        <span className="truncate font-mono text-muted text-xs">{languageOf(node) ?? t.code}</span>
        <button
          type="button"
          className="button-quiet min-h-8 px-2 text-xs"
          onClick={() => copy(textOf(node).replace(/\n$/, ''))}
        >
          <Icon name={copyState === 'copied' ? 'check' : 'copy'} className="size-4" />
          {label}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{children}</pre>
    </div>
  )
}

function languageOf(pre: Element | undefined): string | undefined {
  const code = pre?.children[0]
  if (code?.type !== 'element' || !Array.isArray(code.properties.className)) return undefined
  const name = code.properties.className.find((each) => String(each).startsWith('language-'))
  return name === undefined ? undefined : String(name).slice('language-'.length)
}

function textOf(node: Element | ElementContent | undefined): string {
  if (node?.type === 'text') return node.value
  return node?.type === 'element' ? node.children.map(textOf).join('') : ''
}
