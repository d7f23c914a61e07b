local ratio = {}

function ratio.of(part, whole)
  return part / whole
end

return ratio
