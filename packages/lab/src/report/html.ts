// report.html: stands alone, opens from the disk. The page draws itself from the data inside it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ReportData } from './report-data.ts'

/** `page`: the folder with page.css and page.js. */
export function reportHtml(data: ReportData, page: string): string {
  const part = (name: string) => readFileSync(join(page, name), 'utf8')
  const title = `${data.name}: ${data.outcome}`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${part('page.css')}</style>
<body>
<noscript><p>${escape(title)}. This report draws itself with JavaScript; verdict.json beside it says the same.</p></noscript>
<script type="application/json" id="data">${JSON.stringify(data).replace(/</g, '\\u003c')}</script>
<script>${part('page.js')}</script>
</body>
</html>
`
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
}
